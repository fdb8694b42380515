"""Real applications on a virtual display: screens with exact boxes from the toolkits themselves, and what evaluation operates."""
