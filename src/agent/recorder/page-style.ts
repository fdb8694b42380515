import { html, Markup } from "./html.js";
import { OVERLAY_STYLE } from "./overlay-style.js";

/** The page's looks, light and dark. */
export const PAGE_STYLE = html`<style>
:root {
  color-scheme: light dark;
  --ground: #f6f6f3; --card: #ffffff; --ink: #1d2126; --soft: #626a73; --rule: #e2e2dc; --code: #f1f1ec;
  --good: #12703c; --good-ground: #d9f2e3; --bad: #a3241d; --bad-ground: #fbe1de;
  --capture: #7aa5c9; --encode: #a9c4d8; --prefill: #4d5fd1; --decode: #9a6bd6; --act: #e58a2b; --settle: #c9c7b8;
  --shadow: 0 1px 2px rgb(0 0 0 / .06), 0 8px 24px rgb(0 0 0 / .06);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1d2125; --ink: #e9ebed; --soft: #98a1aa; --rule: #2e343a; --code: #15181b;
    --good: #7fdca4; --good-ground: #173a27; --bad: #ff9d94; --bad-ground: #45201d;
    --capture: #5b89b0; --encode: #7898af; --prefill: #7887f0; --decode: #b08ae6; --act: #f0a04b; --settle: #5a5c56;
    --shadow: 0 1px 2px rgb(0 0 0 / .4);
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0 auto; max-width: 1360px; padding: 2.5rem 1.5rem 4rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1, h2, p, dl, ol, ul, figure, blockquote { margin: 0; padding: 0; }
h1 { font-size: clamp(1.5rem, 3vw, 2.1rem); line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; overflow-wrap: anywhere; white-space: pre-line; }
h2 { display: flex; gap: .6rem; font-size: 1.1rem; line-height: 1.35; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.eyebrow, .muted, .legend, footer, dt { color: var(--soft); }
.eyebrow { margin-bottom: .5rem; font-size: .85rem; }
.muted { font-weight: 400; font-size: .85em; }
.outcome { margin-top: .9rem; overflow-wrap: anywhere; }
.badge { display: inline-block; margin-right: .4rem; padding: .1rem .65rem; border-radius: 99px; font-weight: 600; }
.badge.good { color: var(--good); background: var(--good-ground); }
.badge.bad { color: var(--bad); background: var(--bad-ground); }
blockquote { margin-top: 1rem; padding: .8rem 1rem; border-left: 3px solid var(--prefill); background: var(--card); border-radius: 0 8px 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .9rem 1.5rem; margin: 1.5rem 0; padding: 1rem 0; border-block: 1px solid var(--rule); }
dt { font-size: .75rem; letter-spacing: .05em; text-transform: uppercase; }
dd { margin: 0; overflow-wrap: anywhere; }
.timeline { list-style: none; }
.timeline a { display: grid; grid-template-columns: 2rem minmax(8rem, 22rem) 1fr 4.5rem; align-items: center; gap: .75rem; padding: .3rem .4rem; border-radius: 6px; color: inherit; text-decoration: none; }
.timeline a:hover, .timeline a:focus-visible { background: var(--card); outline: none; box-shadow: var(--shadow); }
.timeline .words { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.timeline .time { text-align: right; font-variant-numeric: tabular-nums; color: var(--soft); }
.track { display: flex; height: .7rem; border-radius: 3px; overflow: hidden; }
.track i { flex: none; }
.number { flex: none; display: inline-grid; place-items: center; width: 1.6rem; height: 1.6rem; border-radius: 50%; background: var(--rule); font-size: .8rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.legend { margin: .6rem 0 0; font-size: .85rem; }
.key { margin-right: 1rem; white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: .65rem; height: .65rem; margin-right: .4rem; border-radius: 2px; background: currentColor; }
i.capture { background: var(--capture); } i.encode { background: var(--encode); } i.prefill { background: var(--prefill); }
i.decode { background: var(--decode); } i.act { background: var(--act); } i.settle { background: var(--settle); }
.key.capture::before { background: var(--capture); } .key.encode::before { background: var(--encode); } .key.prefill::before { background: var(--prefill); }
.key.decode::before { background: var(--decode); } .key.act::before { background: var(--act); } .key.settle::before { background: var(--settle); }
section { display: grid; grid-template-columns: minmax(0, 1.45fr) minmax(0, 1fr); gap: 1.5rem; margin-top: 1.75rem; padding: 1.25rem; border: 1px solid var(--rule); border-radius: 14px; background: var(--card); box-shadow: var(--shadow); scroll-margin-top: 1rem; }
section.failed { border-color: var(--bad); }
section:target { outline: 2px solid var(--prefill); outline-offset: 2px; }
figure { position: relative; overflow: hidden; border: 1px solid var(--rule); border-radius: 8px; background: #000; }
figure img, figure svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.missing { display: grid; place-items: center; min-height: 10rem; border: 1px dashed var(--rule); border-radius: 8px; color: var(--soft); }
${new Markup(OVERLAY_STYLE)}
.notes { display: flex; flex-direction: column; gap: .9rem; min-width: 0; }
.actions { list-style: none; display: grid; gap: .35rem; color: var(--soft); overflow-wrap: anywhere; }
.notice { padding: .6rem .8rem; border-left: 3px solid var(--act); background: var(--code); border-radius: 0 8px 8px 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.notice .muted { display: block; }
.notice img { display: block; max-width: 100%; margin-top: .5rem; border-radius: 6px; }
.error { color: var(--bad); overflow-wrap: anywhere; white-space: pre-wrap; }
table { width: 100%; border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .4rem .25rem 0; text-align: left; vertical-align: top; }
th { font-weight: 500; color: var(--soft); }
th .muted { display: block; }
.timings td { white-space: nowrap; }
.timings .key { margin: 0; } .timings .key::before { width: .5rem; height: .5rem; margin-right: .3rem; }
summary { cursor: pointer; font-weight: 600; font-size: .9rem; }
pre { margin: .5rem 0 0; padding: .75rem .9rem; max-height: 22rem; overflow: auto; border-radius: 8px; background: var(--code); font-size: .82rem; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; font-size: .85rem; }
@media (max-width: 860px) {
  body { padding: 1.5rem 1rem 3rem; }
  section { grid-template-columns: minmax(0, 1fr); padding: 1rem; }
  .timeline a { grid-template-columns: 2rem 1fr 4.5rem; }
  .track { display: none; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
</style>`;
