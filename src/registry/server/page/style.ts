/** The one style of the registry's pages. */
export const STYLE = `
:root { --text: #1c2128; --dim: #59636e; --back: #ffffff; --box: #f6f8fa; --line: #d1d9e0; --link: #0b57d0; --focus: #0b57d0 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --dim: #9aa5b1; --back: #0d1117; --box: #161b22; --line: #30363d; --link: #79b8ff; --focus: #79b8ff }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
header { display: flex; justify-content: space-between; gap: 1rem; padding: .75rem 1rem; border-bottom: 1px solid var(--line); background: var(--box) }
header > a:first-child { font-weight: 600; color: var(--text); text-decoration: none }
main { max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.35rem; margin: .25rem 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere }
h3 { font-size: .9rem; margin: 1rem 0 .25rem; color: var(--dim) }
a { color: var(--link); overflow-wrap: anywhere }
p { margin: .25rem 0; overflow-wrap: anywhere }
ul.plain { list-style: none; margin: 0; padding: 0 }
ul.plain > li { border-bottom: 1px solid var(--line) }
ul.plain > li > a { display: block; padding: .75rem .25rem; text-decoration: none }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem }
.dim { color: var(--dim); font-size: .9rem }
.row { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline }
.chip { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; overflow-wrap: anywhere }
code, .mono { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; word-break: break-all }
.command { display: flex; gap: .5rem; align-items: center; background: var(--box); border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .4rem .4rem .7rem; margin: .5rem 0 }
.command code { flex: 1; min-width: 0 }
button { font: inherit; font-size: .85rem; color: var(--text); background: var(--back); border: 1px solid var(--line); border-radius: .4rem; min-height: 2.5rem; min-width: 4rem; cursor: pointer }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px }
details { margin-top: .5rem }
summary { cursor: pointer; padding: .4rem 0; color: var(--link) }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
td, th { text-align: left; vertical-align: top; padding: .3rem .5rem .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere }
td.size { text-align: right; white-space: nowrap; padding-right: 0 }
nav { margin: 1rem 0 }
`
