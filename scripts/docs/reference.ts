/** The pages of docs/reference. */
import { LAST_SECTIONS, pageId, type Page, type PageLink } from "./page.ts"

const NOTE = "<!-- Written by `npm run docs` from the command's own table and text in src/cli: change those. -->"

/** One page as Markdown. */
export function referencePage(page: Page): string {
  const { name, summary, synopsis, aliases, sections, options, commands, seeAlso } = page
  const last = [...sections].filter(([title]) => LAST_SECTIONS.includes(title))
  const first = [...sections].filter(([title]) => !LAST_SECTIONS.includes(title))
  return [
    NOTE,
    `# skiff${name && ` ${name}`}`,
    `${summary}.`,
    `\`\`\`\n${synopsis.join("\n")}\n\`\`\``,
    aliases.length === 0 ? "" : `Also: ${aliases.map((alias) => `\`skiff ${alias}\``).join(", ")}.`,
    ...first.map(section),
    commands.length === 0 ? "" : section(["Commands", commandTable(commands)]),
    options.length === 0 ? "" : section(["Options", optionTable(options)]),
    ...last.map(section),
    section(["See also", [...seeAlso.map(link), "[all commands](README.md)"].join(", ")]),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n")
}

/** The page that lists them all. */
export function referenceIndex(pages: readonly Page[]): string {
  const commands = pages.filter(({ commands: verbs, name }) => verbs.length === 0 && name !== "")
  const groups = pages.filter(({ commands: verbs, name }) => verbs.length > 0 && name !== "")
  return `${NOTE}

# Commands

Each page is also a man page (\`man skiff-run\`), and its beginning is what \`skiff COMMAND --help\` prints.
[skiff](skiff.md) has the flags, files and variables that all of them share.

${commandTable(commands.map(asLink))}

Groups:

${commandTable(groups.map(asLink))}
`
}

function section([title, body]: [string, string]): string {
  return title === "Description" ? body : `## ${title}\n\n${body}`
}

function asLink({ name, summary }: Page): Page["commands"][number] {
  return { name, id: pageId(name), summary }
}

function commandTable(commands: Page["commands"]): string {
  const rows = commands.map((one) => `| ${link(one)} | ${cell(one.summary)} |`)
  return `| command | |\n| --- | --- |\n${rows.join("\n")}`
}

function optionTable(options: Page["options"]): string {
  const rows = options.map(({ title, text }) => `| \`${cell(title)}\` | ${cell(escape(text))} |`)
  return `| option | |\n| --- | --- |\n${rows.join("\n")}`
}

function link({ name, id }: PageLink): string {
  return `[skiff${name && ` ${name}`}](${id}.md)`
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|")
}

function escape(text: string): string {
  return text.replaceAll(/[<>]/g, (mark) => (mark === "<" ? "&lt;" : "&gt;"))
}
