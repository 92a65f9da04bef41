"""The made-up world behind the sample data: songs, users, and what they listen to on a day. Pure: nothing here touches a file."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAY_MS = 86_400_000
SESSIONS_A_DAY = 1_000_000
LONGEST_SESSION = 120  # events, of songs under 480 s: a session is always shorter than a day
CATALOGUE_SHARE = 0.1
TASTE_SHARE = 0.85

PAGES = {
    "NextSong": ("PUT", 200), "Home": ("GET", 200), "Settings": ("GET", 200), "Help": ("GET", 200), "About": ("GET", 200),
    "Upgrade": ("GET", 200), "Error": ("GET", 404), "Save Settings": ("PUT", 307), "Downgrade": ("GET", 200),
    "Submit Upgrade": ("PUT", 307), "Submit Downgrade": ("PUT", 307), "Login": ("PUT", 307), "Logout": ("PUT", 307),
}  # fmt: skip
PLAY, HOME, _, _, _, UPGRADE, _, _, DOWNGRADE, SUBMIT_UPGRADE, SUBMIT_DOWNGRADE, LOGIN, LOGOUT = range(len(PAGES))
PAGE_SHARES = [0.92, 0.045, 0.01, 0.007, 0.004, 0.01, 0.001, 0.003]  # the other pages have their place in a session

FEMALE_NAMES = "Ada Bela Carmen Dalia Edda Fenja Greta Hanne Ilse Juno Kezia Lotte Mina Noor Zoë Renée"
MALE_NAMES = "Aron Bram Caspar Dirk Emil Falk Gustav Henk Ivo Joris Kaspar Lennart Milo Nils Oscar Jürgen"
FAMILY_NAMES = "Alder Birch Cedar Dogwood Elm Fir Gorse Hazel Ivy Juniper Larch Maple Nettle Oak Pine Rowan Sorrel Thorn Willow Yew"
CITIES = ["San Francisco-Oakland-Hayward, CA", "Portland-South Portland, ME", "Lansing-East Lansing, MI", "Cedar Rapids, IA",
          "Eugene, OR", "New York-Newark-Jersey City, NY-NJ-PA", "Tampa-St. Petersburg-Clearwater, FL", "San Antonio, TX"]  # fmt: skip
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = [f'"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) {WEBKIT} Chrome/36.0.1985.143 Safari/537.36"',
          f'"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Ubuntu Chromium/36.0.1985.125 Chrome/36.0.1985.125 Safari/537.36"',
          f'"Mozilla/5.0 (Windows NT 6.1; WOW64) {WEBKIT} Chrome/36.0.1985.125 Safari/537.36"',
          "Mozilla/5.0 (Windows NT 5.1; rv:31.0) Gecko/20100101 Firefox/31.0"]  # fmt: skip
ADJECTIVES = "Amber Broken Distant Electric Frozen Golden Hollow Jade Little Midnight Northern Paper Quiet Restless Silver Velvet"
NOUNS = "Anchors Bridges Comets Deserts Engines Gardens Harbours Islands Kites Lanterns Mirrors Orchards Rivers Shadows Tides Winters"
ACCENTED = "Café Città Dvořák Fjälls Köln Ñandús Señor Único Åskor Élan"
ENDINGS = ["", "", "", "", "", "", " (Live)", " (Album Version)", " [Demo]", "_ Pt. 2", " / Reprise", " & Away"]
PLACES = [("Fort Worth, TX", 32.74863, -97.32925), ("California - SF", 37.77916, -122.42005), ("Denmark", 56.27609, 9.51695),
          ("London, England", 51.50632, -0.12714), ("São Paulo, Brazil", -23.56287, -46.65468), ("", 42.39291, -83.04973)]  # fmt: skip


def mojibake(text: str, times: int = 2) -> str:
    """Return text as it looks when its UTF-8 was decoded as Latin-1; the real event files did so twice."""
    for _ in range(0 if text.isascii() else times):
        text = text.encode().decode("latin-1")
    return text


def event_json(value: object) -> str:
    r"""Return JSON as the event files write it: no spaces, all ASCII, slashes as `\/`."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def letters(number: int, count: int) -> str:
    """Return a number as a fixed count of letters, A for 0."""
    return "".join(chr(65 + number // 26**place % 26) for place in reversed(range(count)))


def _word(words: str, pick: int) -> str:
    """Choose a word, one in 25 with an accent."""
    choice = (words if pick % 25 else ACCENTED).split()
    return choice[pick // 25 % len(choice)]


def _artist_name(pick: list[int]) -> str:
    adjective, noun, other = _word(ADJECTIVES, pick[0]), _word(NOUNS, pick[1]), _word(NOUNS, pick[2])
    person = f"{_given_name('FM'[pick[0] % 2], pick[1])} {_family_name(pick[2])}"
    return (f"The {adjective} {noun}", person, f"{noun} & {other}", f"{adjective} {noun}/{person}")[pick[3] % 4]


def _given_name(gender: str, pick: int) -> str:
    names = (FEMALE_NAMES if gender == "F" else MALE_NAMES).split()
    return names[pick % len(names)]


def _family_name(pick: int) -> str:
    names = FAMILY_NAMES.split()
    return names[pick % len(names)]


def _title(pick: list[int]) -> str:
    return f"{_word(ADJECTIVES, pick[4])} {_word(NOUNS, pick[5])}{ENDINGS[pick[6] % len(ENDINGS)]}"


def _seconds(pick: list[int]) -> float:
    return (4_000_000 + pick[6] % 22_000_000 + pick[7] % 22_000_000) / 100_000


def catalogue(seed: int, songs: int) -> list[dict[str, Any]]:
    """Return song records with clean text, about three to an artist.

    An artist's records differ in whether they tell the place and its coordinates; one in ten names a guest beside the artist.
    Each 50th song equals the one before but for its song_id, each 83rd has a blank title, each 97th only half of its coordinates.
    """
    rng = np.random.default_rng([seed, 1])
    artists = rng.integers(0, 2**31, (songs // 3 + 1, 8)).tolist()
    records: list[dict[str, Any]] = []
    for i, pick in enumerate(rng.integers(0, 2**31, (songs, 8)).tolist()):
        who = artists[pick[0] % len(artists)]
        place, latitude, longitude = PLACES[who[4] % len(PLACES)] if who[5] % 3 and pick[1] % 3 else ("", None, None)
        records.append({
            "num_songs": 1,
            "artist_id": f"AR{letters(pick[0] % len(artists) * 7919, 5)}1187{who[6] % 16**7:07X}",
            "artist_latitude": latitude if pick[2] % 2 else None,
            "artist_longitude": longitude if pick[2] % 2 and i % 97 != 96 else None,
            "artist_location": place,
            "artist_name": _artist_name(who) + (f" feat. {_artist_name(pick)}" if pick[3] % 10 == 0 else ""),
            "song_id": f"SO{letters(i * 7919, 5)}12A{pick[4] % 16**8:08X}",
            "title": "" if i % 83 == 82 else _title(pick),
            "duration": _seconds(pick),
            "year": 0 if pick[5] % 10 < 6 else 1960 + pick[6] % 58,
        })  # fmt: skip
        if i % 50 == 49:
            records[i] |= {key: records[i - 1][key] for key in ("artist_name", "title", "duration")}
    return records


class Tracks:
    """What can be played, as fragments of event lines: the catalogue's titled songs first, then others that match no song.

    Of the catalogue's every tenth is in capitals with doubled spaces. Of the others every tenth is a catalogue song with another length.
    The fragments at -1 are those of an event that plays nothing. With tastes, all tracks of an artist belong to one of them.
    """

    def __init__(self, seed: int, songs: list[dict[str, Any]], others: int, tastes: int = 0) -> None:
        known = [(s["artist_name"], s["title"], s["duration"]) for s in songs if s["title"]]
        picks = np.random.default_rng([seed, 2]).integers(0, 2**31, (others, 8)).tolist()
        made = [(_artist_name(pick), _title(pick), _seconds(pick)) for pick in picks]
        made[7::10] = [(*known[i % len(known)][:2], made[i][2]) if known else made[i] for i in range(7, others, 10)]
        known[5::10] = [(artist, title.upper().replace(" ", "  "), length) for artist, title, length in known[5::10]]
        self.in_catalogue, tracks = len(known), known + made
        self.artists = [f'{{"artist":{event_json(mojibake(artist))}' for artist, _, _ in tracks] + ['{"artist":null']
        self.titles = [f',"song":{event_json(mojibake(title))},"status":' for _, title, _ in tracks] + [',"song":null,"status":']
        self.lengths = [str(length) for _, _, length in tracks] + ["null"]
        self.whole_seconds: Numbers = np.array([int(length) for _, _, length in tracks], dtype=np.int64)
        taste: Numbers = np.array([zlib.crc32(artist.encode()) % max(1, tastes) for artist, _, _ in tracks], dtype=np.int64)
        self.by_taste = [of_taste for of_taste in (np.flatnonzero(taste == each) for each in range(tastes)) if of_taste.size]


class Users:
    """Registered users, ids from 1, as fragments of event lines; those at -1 are for someone logged out.

    `paid` is who pays at the start of day 0; some use the service far more than others.
    """

    def __init__(self, seed: int, count: int, start_ms: int) -> None:
        rng = np.random.default_rng([seed, 3])
        self.count, self.seed = count, seed
        self.paid = rng.random(count) < 0.2
        self.shares = np.cumsum(rng.permutation(1 / (np.arange(count) + 1 + count / 10)))
        self.shares /= self.shares[-1]
        self.names, self.families, self.places, self.registrations, self.agents = [], [], [], [], []
        for user, pick in enumerate(rng.integers(0, 2**31, (count, 4)).tolist()):
            gender = "FFM"[pick[0] % 3]
            given, family = mojibake(_given_name(gender, pick[1])), _family_name(pick[2])
            self.names.append(f',"auth":"Logged In","firstName":{event_json(given)},"gender":"{gender}","itemInSession":')
            self.families.append(f',"lastName":"{family}","length":')
            self.places.append(f',"location":"{CITIES[pick[0] % len(CITIES)]}","method":')
            self.registrations.append(f',"registration":{start_ms - pick[3] % (90 * DAY_MS)}.0,"sessionId":')
            self.agents.append(f',"userAgent":{event_json(AGENTS[pick[3] % len(AGENTS)])},"userId":"{user + 1}"}}')
        self.names.append(',"auth":"Logged Out","firstName":null,"gender":null,"itemInSession":')
        self.families.append(',"lastName":null,"length":')
        self.places.append(',"location":null,"method":')
        self.registrations.append(',"registration":null,"sessionId":')
        self.agents.append(',"userAgent":null,"userId":""}')

    def changing_level(self, day: int) -> Flags:
        """Tell which users change between free and paid on a day, one in 25."""
        changing: Flags = np.random.default_rng([self.seed, 4, day]).random(self.count) < 0.04
        return changing


@dataclass
class Sessions:
    """One day's sessions: whose, how many events, how many of these before login, which (from the end) is the logout, the start in ms."""

    owner: Numbers
    length: Numbers
    lead: Numbers
    logout: Numbers
    start: Numbers

    @classmethod
    def draw(cls, rng: np.random.Generator, events: int, users: Users, paid: Flags) -> Sessions:
        """Draw sessions of so many events in all; the first begins five minutes before midnight, the third together with the second."""
        owner = np.searchsorted(users.shares, rng.random(events // 2 + 1)).clip(0, users.count - 1)
        length = np.minimum(1 + rng.geometric(np.where(paid[owner], 1 / 40, 1 / 7)), LONGEST_SESSION)
        length[0] = max(length[0], 20)
        ends = np.cumsum(length)
        count = int(np.searchsorted(ends, events)) + 1
        owner, length = owner[:count], length[:count]
        length[-1] -= ends[count - 1] - events
        lead = np.where(length > 4, rng.choice(3, count, p=[0.7, 0.15, 0.15]), 0)
        logout = np.where(length > 4, rng.choice([-1, 0, 1], count, p=[0.75, 0.1, 0.15]), -1)
        hours = np.where(rng.random(count) < 0.4, rng.random(count) * 24, rng.triangular(0, 17, 24, count))
        start = (hours * 3_600_000).astype(np.int64)
        start[0] = DAY_MS - 300_000
        start[2:3] = start[1:2]
        return cls(owner, length, lead, logout, start)


def _visit_pages(rng: np.random.Generator, item: Numbers, left: Numbers, lead: Numbers, logout: Numbers) -> tuple[Numbers, Flags]:
    """Return each event's page, and whether its user is logged out; `left` counts the events that follow in the session."""
    out = (item < lead) | (left < logout)
    page = np.searchsorted(np.cumsum(PAGE_SHARES), rng.random(item.size)).clip(0, len(PAGE_SHARES) - 1)
    page[out | ((item == lead) & (rng.random(item.size) < 0.6))] = HOME
    page[out & (item == lead - 1)] = LOGIN
    page[left == logout] = LOGOUT
    return page, out


def _choose_tracks(rng: np.random.Generator, tracks: Tracks, count: int) -> Numbers:
    """Return tracks by index, the first ones of the catalogue and the first ones of the others most often."""
    known = rng.random(count) < (CATALOGUE_SHARE if tracks.in_catalogue else 0)
    choices = np.where(known, tracks.in_catalogue, tracks.whole_seconds.size - tracks.in_catalogue)
    chosen: Numbers = np.where(known, 0, tracks.in_catalogue) + (choices * rng.random(count) ** 2).astype(np.int64)
    return chosen


def _to_taste(rng: np.random.Generator, tracks: Tracks, chosen: Numbers, owner: Numbers) -> Numbers:
    """Return the chosen tracks, most of them replaced by one of the listener's taste that is as popular within it."""
    own, tastes = rng.random(chosen.size) < TASTE_SHARE, len(tracks.by_taste)
    for taste, among in enumerate(tracks.by_taste):
        theirs = own & (owner % tastes == taste)
        chosen[theirs] = among[chosen[theirs] * among.size // tracks.whole_seconds.size]
    return chosen


def listen(users: Users, tracks: Tracks, paid: Flags, day: int, events: int, *, may_cross: bool) -> Numbers:
    """Return one day's events as rows (ms since the day's midnight, session, item, page, track, paid, user), a column an event.

    Args:
        users: Who listens.
        tracks: What they play.
        paid: Who pays when the day begins.
        day: Day of the world.
        events: How many events.
        may_cross: Whether sessions may go on after midnight; if not, those that would do so begin earlier.
    """
    rng = np.random.default_rng([users.seed, 5, day])
    sessions = Sessions.draw(rng, events, users, paid)
    session = np.repeat(np.arange(sessions.length.size), sessions.length)
    first = np.cumsum(sessions.length) - sessions.length
    item = np.arange(events) - first[session]
    page, out = _visit_pages(rng, item, sessions.length[session] - 1 - item, sessions.lead[session], sessions.logout[session])

    changing = np.flatnonzero(users.changing_level(day)[sessions.owner] & (sessions.length > 8))
    changing = changing[np.unique(sessions.owner[changing], return_index=True)[1]]
    change = first[changing] + sessions.length[changing] // 2
    page[change - 1], page[change], page[change + 1] = UPGRADE, SUBMIT_UPGRADE, HOME

    owner = sessions.owner[session]
    track = _choose_tracks(rng, tracks, events)
    track = _to_taste(rng, tracks, track, owner) if tracks.by_taste else track
    gap = np.where(page == PLAY, tracks.whole_seconds[track], rng.integers(1, 60, events))
    gap[(page == HOME) & (rng.random(events) < 0.05)] = 0
    elapsed = np.cumsum(gap) - gap
    elapsed -= elapsed[first][session]
    start = sessions.start if may_cross else np.minimum(sessions.start, DAY_MS - 1 - 1000 * elapsed[first + sessions.length - 1])
    at = start[session] + 1000 * elapsed

    changed_at = np.full(users.count, np.iinfo(np.int64).max)
    changed_at[sessions.owner[changing]] = at[change]
    level = paid[owner] ^ (at > changed_at[owner])
    page[(page == UPGRADE) & level] = DOWNGRADE
    page[(page == SUBMIT_UPGRADE) & level] = SUBMIT_DOWNGRADE
    number = session + 1 + day * SESSIONS_A_DAY
    return np.stack([at, number, item, page, np.where(page == PLAY, track, -1), level, np.where(out, -1, owner)])


def write_lines(users: Users, tracks: Tracks, rows: Numbers) -> list[str]:
    """Return rows of `listen` as lines of an event file; its times are epoch milliseconds here."""
    pages = [f'"{method}","page":"{page}"' for page, (method, _) in PAGES.items()]
    statuses = [f'{status},"ts":' for _, status in PAGES.values()]
    levels = [',"level":"free"', ',"level":"paid"']
    artists, titles, lengths = tracks.artists, tracks.titles, tracks.lengths
    names, families, places, registrations, agents = users.names, users.families, users.places, users.registrations, users.agents
    return [
        f"{artists[t]}{names[u]}{item}{families[u]}{lengths[t]}{levels[paid]}{places[u]}{pages[p]}{registrations[u]}{session}{titles[t]}{statuses[p]}{at}{agents[u]}"
        for at, session, item, p, t, paid, u in zip(*rows.tolist(), strict=True)
    ]
