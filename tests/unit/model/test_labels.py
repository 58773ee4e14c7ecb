"""From a name, as somebody wrote it, to a label."""

from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import LabelError
from model.labels import (
    LONGEST_LABEL,
    LONGEST_NAME,
    Names,
    are_names,
    is_label,
    label_of,
    require_label_of,
    shortened,
    written_name,
)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ned_flanders", "ned_flanders"),
        ("Ned Flanders", "ned_flanders"),
        ("moe-szyslak", "moe_szyslak"),
        (" Ned\t Flanders ", "ned_flanders"),
        ("Dr. Nick", "dr_nick"),
        ("dr._nick", "dr_nick"),
        ("バート", "バート"),
        ("ﾊﾞｰﾄ", "バート"),  # half as wide
        ("Éd", "éd"),
        ("E\u0301d", "éd"),
        ("Милхаус", "милхаус"),
        ("МИЛХАУС", "милхаус"),
        ("=1+1", "1_1"),
        ("a/b", "a_b"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("Οδυσσεύς", "οδυσσεύσ"),
        ("\u0130stanbul", "i\u0307stanbul"),
        ("हिन्दी", "हिन्दी"),
        ("שלום עולם", "שלום_עולם"),
        ("\u200fשלום\u200e", "שלום"),  # noqa: RUF001
        ("می\u200cروم", "میروم"),
        ("葛\U000e0100", "葛"),
        ("Ned 🙂 Flanders", "ned_flanders"),
        ("\u0301a", "a"),
        ("½ Tom", "1_2_tom"),
        ("x" * 63 + " y", "x" * 63),
        ("x" * 100, "x" * 64),
        ("...", ""),
        ("///", ""),
        ("🙂", ""),
        ("\u0301", ""),
        ("\u3164", ""),  # a letter that nobody sees
        ("_", ""),
        ("", ""),
    ],
)
def test_a_name_has_one_label(name: str, label: str) -> None:
    assert label_of(name) == label


@given(st.text(max_size=100))
def test_the_label_of_a_label_is_itself_whatever_form_and_case_the_name_has(name: str) -> None:
    label = label_of(name)
    assert label_of(label) == label
    assert len(label) <= LONGEST_LABEL
    assert not label or is_label(label)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert label_of(normalize(form, name)) == label
    assert label_of(name.casefold()) == label


def test_of_all_characters_the_label_of_a_label_is_itself() -> None:
    for point in range(0x110000):
        if category(chr(point)) not in ("Cn", "Co", "Cs"):
            label = label_of(f"a{chr(point)}b")
            assert label_of(label) == label, hex(point)


def test_a_name_without_letters_is_named_in_one_line() -> None:
    with pytest.raises(LabelError, match="stills: '///' has no letter or digit"):
        require_label_of("///", "stills")
    assert require_label_of("Dr. Nick", "stills") == "dr_nick"


@pytest.mark.parametrize("label", ["ned", "a-b", "0", "バート", "милхаус", "हिन्दी", "éd"])
def test_what_can_be_a_label(label: str) -> None:
    assert is_label(label)


@pytest.mark.parametrize("text", ["", "Ned", "a b", "_a", "é_", "É", "e\u0301d", "../a", "a\n", 7])
def test_what_can_be_none(text: object) -> None:
    assert not is_label(text)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Dr. Nick", "Dr. Nick"),
        (" two\n lines\t", "two lines"),
        ("a\x1b[31mb", "a [31mb"),
        ("a\u202eb", "a b"),
        ("می\u200cروم", "می\u200cروم"),
        ("=1+1", "=1+1"),
        ("bad\udcff", "bad"),
        ("x" * 300, "x" * LONGEST_NAME),
    ],
)
def test_names_are_shown_as_they_were_written_on_one_line(name: str, shown: str) -> None:
    assert written_name(name) == shown == written_name(shown)


def test_names_in_pictures_are_short() -> None:
    assert shortened("x" * 30) == "x" * 30
    assert shortened("Charles Montgomery Plantagenet Schicklgruber Burns") == (
        "Charles Montgomery Plantagene\N{HORIZONTAL ELLIPSIS}"
    )


def test_a_label_answers_with_its_first_name_or_with_blanks() -> None:
    names = Names()
    for name in ("ned_flanders", "Ned Flanders", "NED FLANDERS", "バート", "Unknown", "///"):
        names.note(name)
    assert names == {"ned_flanders": "Ned Flanders"}
    assert names["ned_flanders"] == "Ned Flanders"
    assert names["moe_szyslak"] == "moe szyslak"
    assert names["バート"] == "バート"
    assert names.of(["moe_szyslak"]) == {}


@pytest.mark.parametrize(
    "names",
    [None, [], {"moe": "Moe"}, {"ned": ""}, {"ned": 3}, {"ned": "a\nb"}, {"ned": "x" * 101}],
)
def test_names_from_elsewhere_are_checked(names: object) -> None:
    assert not are_names(names, ("ned",))
    assert are_names({"ned": "Ned"}, ("ned",))
