#pragma once
/// How the page of a certificate looks.

#include <string_view>

namespace bytecnn::exporter {

inline constexpr std::string_view certificate_style = R"css(
:root { color-scheme: light dark; --ink: #1c2026; --soft: #5a6472; --paper: #fbfbfa; --card: #ffffff; --line: #d9dce1;
  --good: #1b7a3d; --bad: #b3261e; --bar: #3f6fb5; --good-ground: #e9f5ed; --bad-ground: #fbeae9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa4b2; --paper: #15181c; --card: #1d2126; --line: #343a42;
    --good: #6fcf97; --bad: #f28b82; --bar: #7da7e8; --good-ground: #17281d; --bad-ground: #301a19; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 24px 20px 48px; }
header { border-left: 6px solid var(--good); background: var(--good-ground); padding: 14px 20px; border-radius: 4px; }
header.bad { border-color: var(--bad); background: var(--bad-ground); }
header p { margin: 0; color: var(--soft); }
h1 { margin: 2px 0; font-size: 24px; line-height: 1.3; overflow-wrap: anywhere; }
header.good h1, .good { color: var(--good); }
header.bad h1, .bad { color: var(--bad); }
.good, .bad { font-weight: 600; }
header.good, header.bad { font-weight: 400; }
h2 { font-size: 17px; margin: 32px 0 8px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 10px; margin: 18px 0 6px; }
.fact { background: var(--card); border: 1px solid var(--line); border-radius: 4px; padding: 10px 14px; }
.fact span, .fact small { display: block; color: var(--soft); font-size: 13px; }
.fact b { font-size: 21px; font-variant-numeric: tabular-nums; }
.note { color: var(--soft); font-size: 13px; max-width: 76ch; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); margin-bottom: 8px; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--soft); font-size: 13px; }
th:empty { padding: 0; }
td { overflow-wrap: anywhere; }
td.short { white-space: nowrap; overflow-wrap: normal; }
code { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.histogram { width: 100%; height: auto; background: var(--card); border: 1px solid var(--line); }
.histogram text { fill: var(--soft); font-size: 12px; }
.histogram .stage { fill: var(--ink); font-size: 13px; }
.histogram .count { font-size: 10.5px; }
.bar { fill: var(--bar); }
.bar.failed { fill: var(--bad); }
.base { stroke: var(--line); }
.tolerance { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 4 3; }
@media print {
  :root { --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #bbb; --good: #14602f; --bad: #a01c15; --bar: #3f6fb5;
    --good-ground: #fff; --bad-ground: #fff; }
  @page { margin: 14mm; }
  body { font-size: 10.5px; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 18px; }
  h2 { font-size: 13px; margin: 18px 0 6px; break-after: avoid; }
  .facts { grid-template-columns: repeat(4, 1fr); gap: 6px; margin: 10px 0 4px; }
  .fact { padding: 6px 8px; }
  .fact b { font-size: 15px; }
  .fact span, .fact small, .note, th { font-size: 9.5px; }
  th, td { padding: 3px 7px; }
  code { font-size: 8.5px; }
  .wide { overflow: visible; }
  tr, .fact, .histogram, header { break-inside: avoid; }
  p + .wide, .note { break-before: avoid; }
}
)css";

}  // namespace bytecnn::exporter
