"""One long-living process a toolkit that builds the windows of a scene, one scene after the other."""
