"""The model that recommends artists: what is known of listeners, how it is judged against simpler ways, what goes live."""
