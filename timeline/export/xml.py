"""XML that every parser reads."""

import re
from xml.etree.ElementTree import Element, indent, tostring

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 (2.2) cannot represent, but that a file name may contain."""


def xml_text(root: Element) -> str:
    """Return a document; characters that XML cannot represent become U+FFFD."""
    for element in root.iter():
        element.text = element.text and _NO_XML.sub("\ufffd", element.text)
        element.attrib = {name: _NO_XML.sub("\ufffd", each) for name, each in element.items()}
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'
