"""The same boxes, written by hand in each format that is read.

Two pictures of 80x60 px: in `a.png` Ned (20 to 40 px across, 15 to 45 down) and Homer (40 to 80,
0 to 60), in `b.png` Ned (8 to 24, 6 to 30). `c.png` is named without a box where a format can.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from model.errors import StillsError
from model.stills.sources import find_sources
from tests.stills.still_folders import blobs

A_BOXES = [("ned_flanders", (0.25, 0.25, 0.5, 0.75)), ("homer_simpson", (0.5, 0.0, 1.0, 1.0))]
B_BOXES = [("ned_flanders", (0.1, 0.1, 0.3, 0.5))]


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def write_pictures(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("a.png", "b.png", "c.png"):
        Image.fromarray(blobs(sum(map(ord, name)))).save(folder / name)


def csv_file(folder: Path) -> Path:
    write_pictures(folder)
    lines = [
        "label,path,right,bottom,left,top,drawn_by",
        "Ned Flanders,a.png,0.5,0.75,0.25,0.25,me",
        "homer_simpson,a.png,1,1,0.5,0,me",
        "ned_flanders,b.png,0.3,0.5,0.1,0.1,",
        ",c.png,,,,,",
    ]
    return write(folder / "boxes.csv", "\n".join(lines) + "\n")


def csv_file_of_excel(folder: Path) -> Path:
    write_pictures(folder / "frames")
    lines = [
        "path,left,top,right,bottom,label",
        '"a.png",0.25,0.25,0.5,0.75,"Ned Flanders"',
        "a.png,0.5,0,1,1,homer_simpson",
        "b.png,1e-1,.1,0.30,0.5,ned_flanders",
        "c.png,,,,,",
    ]
    return write(folder / "boxes.csv", "\ufeff" + "\r\n".join(lines))


COCO = {
    "images": [
        {"id": 1, "file_name": "a.png", "width": 80, "height": 60},
        {"id": 2, "file_name": "b.png", "width": 160, "height": 120},  # annotated twice as large
        {"id": 3, "file_name": "c.png", "width": 80, "height": 60},
    ],
    "categories": [
        {"id": 0, "name": "people"},
        {"id": 5, "name": "Ned Flanders"},
        {"id": 7, "name": "Homer Simpson", "supercategory": "people"},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 5, "bbox": [20, 15, 20, 30], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 7, "bbox": [40.0, 0.0, 40.0, 60.0]},
        {"id": 3, "image_id": 2, "category_id": 5, "bbox": [16, 12, 32, 48]},
    ],
}


def coco_file(folder: Path) -> Path:
    write_pictures(folder / "images")
    return write(folder / "instances.json", COCO)


def coco_folder_of_roboflow(folder: Path) -> Path:
    write_pictures(folder / "train")
    write(folder / "train" / "_annotations.coco.json", COCO)
    return folder


def yolo_folder(folder: Path) -> Path:
    write_pictures(folder / "images" / "train")
    write(
        folder / "data.yaml",
        "train: ../train/images\nnc: 2\nnames: ['Homer Simpson', Ned Flanders]",
    )
    write(folder / "labels/train/a.txt", "1 0.375 0.5 0.25 0.5\n0 0.75 0.5 0.5 1\n")
    write(folder / "labels/train/b.txt", "1 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5\n")  # a polygon
    write(folder / "labels/train/c.txt", "")
    return folder


def yolo_folder_side_by_side(folder: Path) -> Path:
    write_pictures(folder)
    write(folder / "classes.txt", "homer_simpson\nned_flanders\n")
    write(folder / "a.txt", "1 0.375 0.5 0.25 0.5 0.93\n0 0.75 0.5 0.5 1\n")  # with a confidence
    write(folder / "b.txt", "1 0.2 0.3 0.2 0.4\n")
    write(folder / "c.txt", "\n")
    return folder


def yolo_yaml_file(folder: Path) -> Path:
    yolo_folder(folder)
    names = "names:\n  0: Homer Simpson  # the father\n  1: 'Ned Flanders'\nroboflow:\n  0: none\n"
    return write(folder / "data.yaml", names)


def yolo_yaml_list(folder: Path) -> Path:
    yolo_folder(folder)
    write(folder / "data.yaml", "names:\n- homer_simpson\n- Ned Flanders\nnc: 2\n")
    return folder


def voc_text(name: str, *objects: tuple[str, int, int, int, int]) -> str:
    found = "".join(
        f"<object><name>{label}</name><difficult>0</difficult><bndbox><xmin>{left}</xmin>"
        f"<ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
        for label, left, top, right, bottom in objects
    )
    size = "<size><width>80</width><height>60</height><depth>3</depth></size>"
    return (
        f'<?xml version="1.0"?>\n<annotation><folder>x</folder><filename>{name}</filename>'
        f"<path>C:\\x\\{name}</path>{size}{found}</annotation>"
    )


def voc_folder(folder: Path) -> Path:
    write_pictures(folder)
    two = ("Ned Flanders", 20, 15, 40, 45), ("Homer Simpson", 40, 0, 80, 60)
    write(folder / "a.xml", voc_text("a.png", *two))
    write(folder / "b.xml", voc_text("b.png", ("ned_flanders", 8, 6, 24, 30)))
    write(folder / "c.xml", voc_text("c.png"))
    return folder


def voc_folders(folder: Path) -> Path:
    voc_folder(folder / "Annotations")
    write_pictures(folder / "JPEGImages")
    for name in "abc":
        (folder / "Annotations" / f"{name}.png").unlink()
    return folder


VIA_PICTURES = {
    "a.png7": {
        "filename": "a.png",
        "size": 7,
        "regions": [
            {
                "shape_attributes": {"name": "rect", "x": 20, "y": 15, "width": 20, "height": 30},
                "region_attributes": {"label": "Ned Flanders"},
            },
            {
                "shape_attributes": {
                    "name": "polygon",
                    "all_points_x": [40, 80, 60],
                    "all_points_y": [0, 30, 60],
                },
                "region_attributes": {"label": {"homer_simpson": True, "bart": False}},
            },
        ],
        "file_attributes": {},
    },
    "b.png8": {
        "filename": "b.png",
        "size": 8,
        "regions": {
            "0": {
                "shape_attributes": {"name": "ellipse", "cx": 16, "cy": 18, "rx": 8, "ry": 12},
                "region_attributes": {"who": "ned_flanders"},
            }
        },
    },
    "c.png9": {"filename": "c.png", "size": 9, "regions": []},
}


def via_export(folder: Path) -> Path:
    write_pictures(folder)
    return write(folder / "via.json", VIA_PICTURES)


def via_project(folder: Path) -> Path:
    write_pictures(folder / "images")
    settings: dict[str, object] = {"_via_settings": {"ui": {}}, "_via_attributes": {}}
    return write(folder / "via_project.json", settings | {"_via_img_metadata": VIA_PICTURES})


def percent(label: str, x: float, y: float, width: float, height: float) -> dict[str, object]:
    sides = {"x": x, "y": y, "width": width, "height": height, "rotation": 0}
    return {**sides, "rectanglelabels": [label]}


def label_studio_export(folder: Path) -> Path:
    write_pictures(folder, "0a1b2c3d-a.png", "b.png", "c.png")
    boxes = [percent("Ned Flanders", 25, 25, 25, 50), percent("Homer Simpson", 50, 0, 50, 100)]
    results = [{"type": "rectanglelabels", "value": box, "original_width": 80} for box in boxes]
    ned = {"type": "rectanglelabels", "value": percent("ned_flanders", 10, 10, 20, 40)}
    odd = {"type": "choices", "value": {"choices": ["funny"]}}
    skipped = {"was_cancelled": True, "result": results}
    return write(
        folder / "project-1.json",
        [
            {
                "id": 11,
                "data": {"image": "/data/upload/1/0a1b2c3d-a.png"},
                "annotations": [{"result": [*results, odd]}, skipped],
            },
            {
                "id": 12,
                "data": {"image": "/data/local-files/?d=cast%2Fb.png"},
                "annotations": [{"result": [ned]}],
            },
            {"id": 13, "data": {"image": "s3://x/4e5f6a7b-c.png"}, "annotations": []},
        ],
    )


def label_studio_minimal(folder: Path) -> Path:
    write_pictures(folder)
    return write(
        folder / "min.json",
        [
            {
                "image": "/data/upload/1/0a1b2c3d-a.png",
                "id": 1,
                "label": [
                    percent("Ned Flanders", 25, 25, 25, 50),
                    percent("Homer Simpson", 50, 0, 50, 100),
                ],
            },
            {"image": "/data/upload/1/b.png", "label": [percent("ned_flanders", 10, 10, 20, 40)]},
        ],
    )


def cvat_file(folder: Path) -> Path:
    write_pictures(folder / "images")
    return write(
        folder / "annotations.xml",
        """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><name>x</name></task></meta>
<image id="0" name="a.png" width="80" height="60">
  <box label="Ned Flanders" source="manual" occluded="0" xtl="20.00" ytl="15.0" xbr="40" ybr="45">
    <attribute name="hat">no</attribute></box>
  <polygon label="Homer Simpson" points="40.0,0.0;80.0,30.0;60.0,60.0"/>
</image>
<image id="1" name="b.png" width="80" height="60">
  <box label="ned_flanders" xtl="8" ytl="6" xbr="24" ybr="30" rotation="0.0"/></image>
<image id="2" name="c.png" width="80" height="60"/>
</annotations>""",
    )


MAKERS = (
    csv_file,
    csv_file_of_excel,
    coco_file,
    coco_folder_of_roboflow,
    yolo_folder,
    yolo_folder_side_by_side,
    yolo_yaml_file,
    yolo_yaml_list,
    voc_folder,
    voc_folders,
    via_export,
    via_project,
    label_studio_export,
    label_studio_minimal,
    cvat_file,
)
"""A function for each way in which boxes may lie in a folder."""


@pytest.mark.parametrize("make", MAKERS)
def test_boxes_of_each_format_are_read(make: Callable[[Path], Path], tmp_path: Path) -> None:
    found = find_sources([make(tmp_path / "cast")])
    boxes = {
        file.path.name[-5:]: [(drawn.box.label, drawn.box.corners) for drawn in file.boxes]
        for file in found.files
    }
    assert boxes == {"a.png": A_BOXES, "b.png": B_BOXES}
    # Homer's box is the larger one of the first
    assert [file.label for file in found.files] == ["homer_simpson", "ned_flanders"]
    assert all(file.all_boxed and not file.is_in_label_folder for file in found.files)
    assert found.wrong_boxes == ()
    named_bare = [(item.path.name, item.kind) for item in found.left_out]
    assert named_bare == ([] if make is label_studio_minimal else [("c.png", "no box")])


@pytest.mark.parametrize("make", MAKERS)
def test_names_of_any_script_in_each_format_become_labels_and_are_kept(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    source = make(tmp_path / "cast")
    for path in (tmp_path / "cast").rglob("*.*"):
        if path.suffix in (".csv", ".json", ".yaml", ".txt", ".xml"):
            text = path.read_text("utf-8").replace("homer_simpson", "a/b")
            for written in ("Ned Flanders", "ned_flanders"):
                text = text.replace(written, "Dr. バート")
            path.write_text(text.replace("Homer Simpson", "a/b"), "utf-8")
    found = find_sources([source])
    assert [file.label for file in found.files] == ["a_b", "dr_バート"]
    assert found.names == {"a_b": "a/b", "dr_バート": "Dr. バート"}


def test_a_box_whose_name_makes_no_label_is_listed_with_it(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    lines = ["path,left,top,right,bottom,label", "a.png,0,0,1,1,ned", "b.png,0,0,1,1,///"]
    found = find_sources([write(tmp_path / "boxes.csv", "\n".join(lines))])
    [wrong] = found.wrong_boxes
    assert (wrong.kind, wrong.label) == ("no label", "///")
    assert wrong.reason == "its name has no letter or digit for a label"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("boxes.csv", "file,x,y,w,h\n", "no column path, left, top, right, bottom, label"),
        ("boxes.csv", "", "no column path"),
        ("boxes.csv", "path,left,top,right,bottom,label,label\n", "two columns label; leave one"),
        ("boxes.csv", "path,left,top,right,bottom,label\n", "no box"),
        ("boxes.csv", "path,left,top,right,bottom,label\nz.png,0,0,1,1,ned\n", r"z\.png: not in"),
        ("boxes.json", "{", "not JSON"),
        ("boxes.json", "[" * 100_000, "nested too deeply"),
        ("boxes.json", "[" * 2_000_001, "too much for a file of boxes"),
        ("boxes.json", '{"a": 1}', "not COCO, VIA or Label Studio"),
        ("boxes.json", "[1, 2]", "not COCO"),
        ("boxes.json", '{"_via_img_metadata": "x"}', "no box"),
        ("boxes.json", '{"a": NaN, "b": 1e999}', "not COCO"),
        ("boxes.xml", '<?xml version="1.0" encoding="utf-99"?><annotations/>', "unknown encoding"),
        ("boxes.xml", '<?xml version="1.0" encoding="hex"?><annotations/>', "boxes.xml"),
        ("boxes.xml", "<a></a>", "nor a file of boxes"),
        ("boxes.xml", "<annotations><image", "no element found|unclosed token"),
        ("boxes.xml", "<annotations><track id='0'/></annotations>", "annotates a video"),
        ("boxes.xml", "<annotations>" + "<a>" * 40, "deeper or larger"),
        ("boxes.txt", "a", "nor a file of boxes"),
        ("data.yaml", "train: x\n", "lists no names"),
    ],
)
def test_file_of_no_use_is_one_line_that_names_it(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(StillsError, match=message) as caught:
        find_sources([path])
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


BOMB = """<?xml version="1.0"?>
<!DOCTYPE annotations [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<annotations><image id="0" name="&c;"/></annotations>"""

STEALER = """<?xml version="1.0"?>
<!DOCTYPE annotation [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<annotation><filename>&x;</filename></annotation>"""


@pytest.mark.parametrize("content", [BOMB, STEALER])
def test_xml_that_declares_entities_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(StillsError, match="declares a document type or entities"):
        find_sources([write(tmp_path / "boxes.xml", content)])
    # also where the file is one of a folder's: there the others are read
    write_pictures(tmp_path / "voc")
    write(tmp_path / "voc/a.xml", voc_text("a.png", ("ned", 0, 0, 40, 40)))
    write(tmp_path / "voc/b.xml", content)
    found = find_sources([tmp_path / "voc"])
    assert [file.path.name for file in found.files] == ["a.png"]
    [wrong] = found.wrong_boxes
    assert (wrong.where, wrong.kind) == ("b.xml", "unreadable")
    assert "entities" in wrong.reason


def test_file_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.stills.annotations.entries.MAX_BYTES", 100)
    with pytest.raises(StillsError, match="write its boxes to several files"):
        find_sources([csv_file(tmp_path / "cast")])
