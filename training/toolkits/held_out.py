"""What training never shows, so that the evaluation measures something new. The evaluation applications are held out too."""

GTK_THEMES = ("Greybird", "Greybird-dark", "Greybird-bright", "Greybird-compact")
"""The theme family that evaluation uses and training does not."""

FONTS = ("Clear Sans", "Manrope", "Open Sans")
"""Families that evaluation uses and training does not."""

RENDERER_FONTS = ("Carlito", "Hack")
"""Families that the renderer holds out for its own validation (screens/fonts.py); the harvest leaves them out too."""
