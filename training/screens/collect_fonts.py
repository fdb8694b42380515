"""Make the pack that the renderer draws with: fonts from Debian's packages, cut to ASCII and Latin-1, and an English word list.

    python -m screens.collect_fonts ../build/training/pack

Needs apt-get, dpkg-deb and fontTools; nothing is installed. About 5 MB; the pack stays outside git.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fontTools import subset

PACKAGES = """
fonts-dejavu-core fonts-dejavu-extra fonts-liberation fonts-cantarell fonts-inter fonts-open-sans fonts-roboto-unhinted fonts-lato
fonts-noto-core fonts-noto-mono fonts-freefont-ttf fonts-hack fonts-firacode fonts-croscore fonts-crosextra-carlito
fonts-crosextra-caladea fonts-comfortaa fonts-quicksand fonts-cabin fonts-urw-base35 fonts-jetbrains-mono fonts-ibm-plex fonts-inconsolata
fonts-oxygen fonts-play fonts-quattrocento fonts-sil-andika fonts-sil-gentium-basic fonts-tuffy fonts-paratype fonts-cascadia-code
fonts-fantasque-sans fonts-mononoki fonts-ebgaramond fonts-league-spartan fonts-junction fonts-linuxlibertine fonts-monofur
fonts-karla fonts-rubik fonts-mulish fonts-adf-universalis fonts-adf-verana fonts-vollkorn fonts-yanone-kaffeesatz fonts-go
fonts-courier-prime fonts-atkinson-hyperlegible fonts-prociono fonts-ubuntu fonts-montserrat fonts-lexend fonts-sora fonts-terminus-otb
xfonts-75dpi xfonts-100dpi xfonts-base wamerican
""".split()

FACES = """
DejaVuSans DejaVuSans-Bold DejaVuSansCondensed DejaVuSansMono DejaVuSerif LiberationSans-Regular LiberationSans-Bold
LiberationSerif-Regular LiberationMono-Regular LiberationSansNarrow-Regular NimbusSans-Regular NimbusRoman-Regular Roboto-Regular
Roboto-Medium Roboto-Bold Roboto-Light Cantarell-Regular Cantarell-Bold Cantarell-VF Inter-Regular Inter-Medium Inter-SemiBold
OpenSans-Regular OpenSans-Semibold Lato-Regular Lato-Bold Lato-Medium FreeSans FreeSansBold FreeSerif FreeMono Hack-Regular
Arimo-Regular Tinos-Regular Cousine-Regular Carlito-Regular Carlito-Bold Caladea-Regular NotoSans-Regular NotoSans-Bold NotoSans-Medium
NotoSerif-Regular NotoSansMono-Regular NotoSansDisplay-Regular Cabin-Regular Quicksand-Regular Quicksand-Medium FiraCode-Regular
P052-Roman URWGothic-Book C059-Roman URWBookman-Light JetBrainsMono-Regular IBMPlexSans-Regular IBMPlexSans-Medium IBMPlexSerif-Regular
IBMPlexMono-Regular Inconsolata-Regular Oxygen-Sans Play-Regular Quattrocento-Regular Andika-Regular GenBasR Tuffy Tuffy_Bold PTS55F PTS75F
PTF55F PTM55F PTC55F CascadiaCode FantasqueSansMono-Regular mononoki-Regular EBGaramond12-Regular LeagueSpartan-Bold Junction-regular
LinLibertine_R Comfortaa-Regular Karla-Regular Rubik-Regular Mulish-Regular UniversalisADFStd-Regular VeranaSans-Regular
Vollkorn-Regular YanoneKaffeesatz-Regular Go-Regular Courier_Prime AtkinsonHyperlegible-Regular Atkinson-Hyperlegible-Regular-102 Prociono
Ubuntu-R Montserrat-Regular Lexend-Regular Sora-Regular
""".split()

BITMAPS = """75dpi/helvR08 75dpi/helvR10 75dpi/helvR12 75dpi/helvR14 75dpi/helvB10 75dpi/helvB12 100dpi/helvR08 100dpi/helvR10 100dpi/helvR12
100dpi/helvB10 misc/6x13 misc/7x13 misc/7x14 misc/8x13 misc/9x15 misc/6x10 75dpi/timR12 75dpi/timR14 100dpi/timR10 75dpi/luRS10 75dpi/luRS12
75dpi/lubR12 75dpi/courR12 75dpi/ncenR12""".split()


def cut(source: Path, target: Path) -> None:
    """Write `source` with ASCII, Latin-1 and a few typographic characters only."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = True
    options.name_IDs = [1, 2]
    options.notdef_outline = True
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "DSIG", "STAT", "MATH", "kern"]
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[*range(0x20, 0x7F), *range(0xA0, 0x100), 0x2022, 0x2026, 0x2013, 0x2019, 0x20AC])
    cutter.subset(font)
    subset.save_font(font, str(target), options)


def unpack(folder: Path) -> None:
    """Fetch and unpack the packages below `folder`; one that this release lacks is named and left out."""
    for name in PACKAGES:
        if subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, capture_output=True).returncode != 0:
            print(f"not in this release: {name}")
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)


def collect(target: Path) -> None:
    """Fill `target` with fonts/*.ttf, *.otf, *.pcf and words.txt."""
    fonts = target / "fonts"
    fonts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        unpack(root)
        found = {path.stem: path for pattern in ("*.otf", "*.ttf") for path in sorted((root / "root").rglob(pattern))}
        for face in FACES:
            if face in found:
                cut(found[face], fonts / found[face].name)
            else:
                print(f"no such face here: {face}")
        for name in BITMAPS:
            packed = root / "root/usr/share/fonts/X11" / f"{name}-ISO8859-1.pcf.gz"
            if not packed.exists():
                packed = root / "root/usr/share/fonts/X11" / f"{name}.pcf.gz"
            if packed.exists():
                (fonts / f"{name.replace('/', '-')}.pcf").write_bytes(gzip.decompress(packed.read_bytes()))
            else:
                print(f"no such bitmap font here: {name}")
        words = (root / "root/usr/share/dict/american-english").read_text().split()
        (target / "words.txt").write_text("\n".join(word for word in words if re.fullmatch(r"[A-Za-z]{2,12}", word)) + "\n")


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
