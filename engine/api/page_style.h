// SPDX-License-Identifier: Apache-2.0
//
// The page's style sheet. Both colour schemes keep a contrast of at least 4.5 to 1 for text.
#pragma once

namespace tocsin::api {

inline constexpr char kPageStyle[] = R"css(
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#14181d;--soft:#59626d;--line:#dde1e7;
--bad:#b42318;--badbg:#fdeceb;--warn:#8a4b00;--warnbg:#fff3dd;--info:#175a9e;--infobg:#e7f1fb;
--ok:#17693a;--okbg:#e6f4ea;--link:#175a9e}
@media (prefers-color-scheme:dark){:root{--bg:#0f1216;--card:#181c22;--ink:#e7eaee;--soft:#9da7b3;
--line:#2b323a;--bad:#ff8f85;--badbg:#3a1715;--warn:#ffc266;--warnbg:#32250c;--info:#8cc0f5;
--infobg:#12263a;--ok:#7fd9a2;--okbg:#10291b;--link:#8cc0f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
overflow-wrap:anywhere}
main,header,footer{max-width:68rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;padding-top:1rem}
header b{font-size:1.05rem;letter-spacing:.02em}
header time{margin-left:auto}
.soft,footer{color:var(--soft);font-size:.875rem}
a{color:var(--link)}
h1{font-size:1.7rem;line-height:1.2;margin:0;font-weight:650}
h2{font-size:1rem;margin:2rem 0 .6rem;font-weight:650}
h2 span{font-weight:400;color:var(--soft);margin-left:.4rem}
p{margin:.35rem 0 0}
.state{margin:1rem 0;padding:1.1rem 1.25rem;border-radius:.6rem;background:var(--okbg)}
.state h1{color:var(--ok)}
.state.critical{background:var(--badbg)}.state.critical h1{color:var(--bad)}
.state.warning{background:var(--warnbg)}.state.warning h1{color:var(--warn)}
.state.info{background:var(--infobg)}.state.info h1{color:var(--info)}
.problems{margin:1rem 0;padding:.35rem 1rem;background:var(--warnbg);border-radius:.6rem;
list-style:none;font-size:.9375rem}
.problems li{padding:.35rem 0}.problems b{color:var(--warn)}
summary{cursor:pointer;color:var(--soft)}
pre{margin:.5rem 0 0;padding:.6rem .75rem;background:var(--card);border-radius:.35rem;overflow-x:auto;
overflow-wrap:normal;max-height:24rem}
pre,code,.mono{font:.8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.alert{margin:.6rem 0;padding:.8rem 1rem .85rem;background:var(--card);border:1px solid var(--line);
border-left:.35rem solid var(--warn);border-radius:.5rem}
.alert.critical{border-left-color:var(--bad)}.alert.info{border-left-color:var(--info)}
.head{display:flex;flex-wrap:wrap;gap:.15rem .6rem;align-items:baseline}
.head .since{margin-left:auto;text-align:right;white-space:nowrap}
.head .since b{font-weight:650}
.tag{padding:.05rem .5rem;border-radius:1rem;font-size:.8125rem;font-weight:600;
background:var(--warnbg);color:var(--warn)}
.critical .tag,.tag.critical{background:var(--badbg);color:var(--bad)}
.info .tag,.tag.info{background:var(--infobg);color:var(--info)}
.summary{font-size:1.125rem;line-height:1.35;margin:.3rem 0 0}
.about{margin:.3rem 0 0;color:var(--soft)}
.labels{display:flex;flex-wrap:wrap;gap:.35rem;margin:.6rem 0 0;padding:0;list-style:none;
font-size:.875rem}
.labels li{border:1px solid var(--line);border-radius:.3rem;padding:.05rem .45rem}
.labels span{color:var(--soft);margin-right:.35rem}
.labels .value{border-color:transparent;background:var(--warnbg);color:var(--warn);font-weight:650}
.critical .value{background:var(--badbg);color:var(--bad)}
.info .value{background:var(--infobg);color:var(--info)}
.labels .value span{margin:0 0 0 .35rem;font-weight:400;color:inherit}
.blind{margin:.6rem 0 0;padding:.5rem .7rem;border:1px dashed var(--warn);border-radius:.35rem}
.blind b{color:var(--warn)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th,td{padding:.5rem .8rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
table>:first-child>tr:first-child>*{border-top:0}
thead th{font-size:.8125rem;font-weight:600;color:var(--soft);white-space:nowrap}
tbody th{font-weight:500;overflow-wrap:break-word}
tbody th span{overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.sub td{border-top:0;padding-top:0}
td.why{font-size:.875rem;width:55%}.why span{color:var(--soft)}.why ul{list-style:none;margin:0;padding:0}
.more{margin:.8rem 0}.more summary{margin-bottom:.5rem}h2+p.soft{margin-bottom:.6rem}
.bad{color:var(--bad)}.warn{color:var(--warn)}.ok{color:var(--ok)}
.error{display:block;color:var(--bad);margin-top:.15rem}
footer{padding-top:1.5rem;padding-bottom:2rem}
footer a{margin-right:.8rem}
@media (max-width:40rem){h1{font-size:1.4rem}.state{padding:.9rem 1rem}
header time{margin-left:0;width:100%}.head .since{margin-left:0;width:100%;text-align:left}
.wide{display:none}th,td{padding:.45rem .6rem}
.kept,.kept thead,.kept tbody{display:block}.kept thead .why{display:none}
.kept tr{display:grid;grid-template-columns:minmax(0,1fr) 4.5rem 6.4rem;border-top:1px solid var(--line)}
.kept thead tr{border-top:0}.kept th,.kept td{border-top:0;overflow-wrap:anywhere}
.kept td.why{grid-column:1/-1;padding-top:0;width:auto}}
)css";

}  // namespace tocsin::api
