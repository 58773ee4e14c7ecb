"""The Debian packages with pictures of unknown characters, and access to files and licences.

Only packages of Debian's main section are used, which may all be copied and changed. Nothing is
installed: they are downloaded and unpacked into a folder. They were chosen by contact sheets: no
icons, textures, masks or sprite sheets.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PICTURE_SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
_GAMES = "usr/share/games"
_CLIP_ART = "usr/share/openclipart/png"
_SCRATCH = "usr/share/scratch/Media"
_WESNOTH = f"{_GAMES}/wesnoth/1.16/data"
_TUX = "usr/share/tuxpaint"
_BROKEN = re.compile(r"stylized_yoga_person")  # drawn as "Linked Image Not Found"
_ART4APPS_LICENCE = "CC-BY-SA (Art4Apps by Smart4Kids, as the program's own credits say)"
_ART4APPS = f"{_GAMES}/pysiogame/res/images/art4apps"


@dataclass(frozen=True)
class Source:
    """Pictures of one kind in one package."""

    name: str
    """Name of the folder for its pictures."""
    package: str
    patterns: tuple[str, ...]
    """Folders in the package, as patterns of `Path.glob`; those ending in `/**` include
    subfolders."""
    at_most: int
    """Most pictures made from it, so that no source outweighs the others."""
    is_background: bool = False
    """Whether its pictures may serve as background for figures of all sources."""
    licence: str = ""
    """The licence, if the package's copyright file does not name it."""


SOURCES = (
    Source(
        "clipart_people",
        "openclipart-png",
        tuple(
            f"{_CLIP_ART}/people{part}" for part in ("", "/bodypart", "/clothing", "/clothing/hats")
        ),
        420,
    ),
    Source("clipart_animals", "openclipart-png", (f"{_CLIP_ART}/animals/**",), 260),
    Source(
        "clipart_things",
        "openclipart-png",
        tuple(
            f"{_CLIP_ART}/{part}"
            for part in (
                *("buildings/**", "containers", "education/**", "electronics/**", "food/**"),
                *("office/**", "plants/**", "recreation/holiday/**", "recreation/music"),
                *("recreation/party", "recreation/sports", "recreation/toys", "tools/**"),
                "transportation/**",
            )
        ),
        400,
    ),
    Source("clipart_unsorted", "openclipart-png", (f"{_CLIP_ART}/unsorted",), 150),
    Source(
        "art4apps_people",
        "pysiogame",
        tuple(f"{_ART4APPS}/{part}" for part in ("actions", "body", "jobs", "people", "sport")),
        480,
        licence=_ART4APPS_LICENCE,
    ),
    Source(
        "art4apps_animals",
        "pysiogame",
        (f"{_ART4APPS}/animals",),
        200,
        licence=_ART4APPS_LICENCE,
    ),
    Source(
        "art4apps_things",
        "pysiogame",
        tuple(
            f"{_ART4APPS}/{part}"
            for part in ("clothes_n_accessories", "construction", "food", "nature", "transport")
        ),
        150,
        licence=_ART4APPS_LICENCE,
    ),
    Source(
        "scratch_figures",
        "scratch",
        tuple(f"{_SCRATCH}/Costumes/{part}" for part in ("People", "Fantasy", "Animals")),
        340,
    ),
    Source("scratch_scenes", "scratch", (f"{_SCRATCH}/Backgrounds/**",), 140, is_background=True),
    Source(
        "wesnoth_portraits",
        "wesnoth-1.16-data",
        (f"{_WESNOTH}/core/images/portraits/**",),
        320,
    ),
    Source(
        "wesnoth_scenes",
        "wesnoth-1.16-data",
        (f"{_WESNOTH}/core/images/story",),
        60,
        is_background=True,
    ),
    *(
        Source(
            f"wesnoth_{part}",
            f"wesnoth-1.16-{part}",
            (f"{_WESNOTH}/campaigns/*/images/portraits/**", f"{_WESNOTH}/campaigns/*/images/story"),
            at_most,
        )
        for part, at_most in (("httt", 60), ("sof", 40), ("tsg", 40), ("utbs", 60))
    ),
    Source(
        "flare_portraits",
        "flare-game",
        (f"{_GAMES}/flare/mods/fantasycore/images/portraits",),
        90,
    ),
    Source(
        "freecol_portraits",
        "freecol",
        tuple(
            f"{_GAMES}/freecol/default/resources/images/{part}"
            for part in ("foundingFathers", "mercenaries", "monarch")
        ),
        120,
    ),
    Source("ardentryst_faces", "ardentryst", (f"{_GAMES}/ardentryst/Data/NPCs/Faces",), 40),
    Source(
        "ardentryst_scenes",
        "ardentryst",
        (f"{_GAMES}/ardentryst/Data/StorySceneImages",),
        25,
        is_background=True,
    ),
    Source(
        "question",
        "renpy-thequestion",
        (f"{_GAMES}/renpy/the_question/game/images",),
        50,
    ),
    Source("raincat", "raincat-data", (f"{_GAMES}/raincat/data/cat/**",), 30),
    Source("frozen_bubble", "frozen-bubble-data", (f"{_GAMES}/frozen-bubble/gfx",), 40),
    Source("lordsawar", "lordsawar-data", (f"{_GAMES}/lordsawar/various",), 30),
    Source("warmux_maps", "warmux-data", (f"{_GAMES}/warmux/map/**",), 90),
    Source("tux_stamps", "tuxpaint-stamps-default", (f"{_TUX}/stamps/**",), 220),
    Source("tux_photographs", "tuxpaint-data", (f"{_TUX}/templates",), 40, is_background=True),
    Source(
        "mate_photographs",
        "mate-backgrounds",
        ("usr/share/backgrounds/mate/nature",),
        40,
        is_background=True,
    ),
    Source(
        "plasma_wallpapers",
        "plasma-workspace-wallpapers",
        ("usr/share/wallpapers/**",),
        60,
        is_background=True,
    ),
)


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Download missing packages, and unpack each into `folder/PACKAGE`."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not (folder / package).exists()]
    if not missing:
        return
    print(f"fetching {len(missing)} packages", flush=True)
    try:
        subprocess.run(
            ["apt-get", "-q", "download", *missing], cwd=folder, check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        output = getattr(error, "stderr", None) or str(error).encode()
        sys.exit(
            f"packages cannot be fetched ({output.decode().strip().splitlines()[-1]}); "
            "on Debian 12 run `apt-get update` first"
        )
    for package in missing:
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", archive, folder / package], check=True)
        archive.unlink()


def picture_files(source: Source, folder: Path) -> list[Path]:
    """Return a source's picture files below `folder/PACKAGE`, always in the same order."""
    found = {
        path
        for pattern in source.patterns
        for path in _files(folder / source.package, pattern)
        if path.suffix.lower() in _PICTURE_SUFFIXES and path.is_file() and not path.is_symlink()
    }
    return sorted(path for path in found if not _BROKEN.match(path.name))


def licences(source: Source, folder: Path) -> str:
    """Return the short names of a source's licences: its own, or all that the package names."""
    if source.licence:
        return source.licence
    page = folder / source.package / f"usr/share/doc/{source.package}/copyright"
    text = page.read_text(errors="replace")
    named = re.findall(r"^Licen[cs]e: *(\S.*)$", text, re.MULTILINE)
    # older files are free text with these names
    named = named or re.findall(r"GPL-\d|GNU General Public License|public domain", text)
    return ", ".join(dict.fromkeys(name.strip() for name in named)) or "see its copyright file"


def _files(package: Path, pattern: str) -> Iterator[Path]:
    below = "**/*" if pattern.endswith("/**") else "*"
    folders = package.glob(pattern.removesuffix("/**"))
    return (path for folder in folders for path in folder.glob(below))
