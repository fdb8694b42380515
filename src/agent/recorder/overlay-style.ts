/** How actions look that are drawn on a picture. */
export const OVERLAY_STYLE = `
.mark .halo, .mark .line { fill: none; vector-effect: non-scaling-stroke; stroke-linecap: round; stroke-linejoin: round; }
.mark .halo { stroke: #fff; stroke-opacity: .85; stroke-width: 5.5px; }
.mark .line { stroke: #ff3d6e; stroke-width: 2.5px; }
.mark .dot { fill: #ff3d6e; }
.label rect { fill: #16181b; fill-opacity: .92; stroke: #ff3d6e; stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.label text { fill: #fff; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
`;
