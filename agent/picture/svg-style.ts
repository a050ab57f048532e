/**
 * How the picture looks: by day, at night, and on paper.
 *
 * @module
 */

const LIGHT = `--sheet:#fff;--ink:#1a2027;--soft:#566370;--edge:#cfd6dd;--panel:#f6f8f9;--pipe:#eef2f5;
--both:#1d4f91;--esp:#17694a;--ah:#85510a;--lenient:#4f6b1d;--bypass:#5c6773;--drop:#b3261e;--mark:#fff3c4`

const DARK = `--sheet:#14181c;--ink:#e9edf0;--soft:#a2aeb9;--edge:#3a444e;--panel:#1c2228;--pipe:#20282f;
--both:#8ab8ff;--esp:#63cfa4;--ah:#e8b45f;--lenient:#b5cf6b;--bypass:#a8b3bd;--drop:#ff8f84;--mark:#4a3f12`

/** Colours by name, for the picture and the page around it. */
export const PALETTE = `:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
@media print{:root{${LIGHT}}}`

/** The picture's own rules; colours come from the palette. */
export const PICTURE_STYLE = `.picture{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
.picture .sheet{fill:var(--sheet)}
.picture text{fill:var(--ink)}
.picture .h1{font-size:22px;font-weight:650;letter-spacing:-.01em}
.picture .name{font-size:14.5px;font-weight:600}
.picture .mono{font-size:13.5px;font-family:ui-monospace,"SF Mono","Cascadia Mono","DejaVu Sans Mono",monospace}
.picture .small{font-size:13px;fill:var(--soft)}
.picture .asked{font-size:14.5px;font-weight:600}
.picture .host rect{fill:var(--panel);stroke:var(--ink);stroke-width:1.5}
.picture .remote rect{fill:var(--panel);stroke:var(--edge);stroke-width:1.5}
.picture .pipe{fill:var(--pipe);stroke:var(--edge);stroke-width:1.5}
.picture .lane{color:var(--bypass)}
${['both', 'esp', 'ah', 'lenient', 'bypass', 'drop'].map((style) => `.picture .${style}{color:var(--${style})}`).join('\n')}
.picture .lane .asked{fill:currentColor}
.picture .line{stroke:currentColor;stroke-width:2.5;fill:none}
.picture .both .line{stroke-width:2}
.picture .ah .line{stroke-dasharray:14 4 3 4}
.picture .lenient .line{stroke-dasharray:18 7}
.picture .bypass .line{stroke-dasharray:.1 7;stroke-linecap:round;stroke-width:3.5}
.picture .drop .line{stroke-dasharray:6 5}
.picture .lack{font-size:13px;font-weight:600;fill:var(--drop)}
.picture .hidden .line,.picture .hidden .tip,.picture .hidden .cross{opacity:.35}
.picture .hidden .asked{fill:var(--soft);text-decoration:line-through}
.picture .tip{fill:currentColor}
.picture .cross{stroke:currentColor;stroke-width:3;stroke-linecap:round;fill:none}`

export const SVG_STYLE = `${PALETTE}\n${PICTURE_STYLE}`
