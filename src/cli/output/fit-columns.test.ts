import { expect, test } from "bun:test"
import { displayWidth } from "./columns.ts"
import { fitColumns } from "./fit-columns.ts"
import { hanging } from "./wrap.ts"

const HEADING = "CONTAINER ID\tIMAGE\tCOMMAND\tCREATED\tSTATUS\tPORTS\tNAMES"
const WEB = '0123456789ab\tnginx\t"nginx -g \'daemon of…"\t2 hours ago\tUp 2 hours\t0.0.0.0:8080->80/tcp\tweb'
const JOB = 'ba9876543210\tregistry.example/team/app:1.2\t"sh"\t3 weeks ago\tExited (137) 3 weeks ago\t\tjob'

test("a table that fits is spaced as ever", () => {
  expect(fitColumns(["A\tB", "1\t2"], 80)).toEqual(["A         B", "1         2"])
})

test("the widest columns of one that does not are narrowed, and their cells go on below", () => {
  expect(fitColumns([HEADING, WEB, JOB], 80).map((line) => line.trimEnd())).toMatchInlineSnapshot(`
    [
      "CONTAINER ID  IMAGE        COMMAND       CREATED  STATUS     PORTS         NAMES",
      "0123456789ab  nginx        "nginx -g     2 hours  Up 2       0.0.0.0:8080  web",
      "                           'daemon of…"  ago      hours      ->80/tcp",
      "ba9876543210  registry.ex  "sh"          3 weeks  Exited                   job",
      "              ample/team/                ago      (137) 3",
      "              app:1.2                             weeks ago",
    ]
  `)
})

test.each([60, 72, 80, 100, 132])("at %d columns no line is wider, and every word is there", (width) => {
  const lines = fitColumns([HEADING, WEB, JOB], width)
  for (const line of lines) expect(displayWidth(line.trimEnd())).toBeLessThanOrEqual(width)
  const shown = lines.join("").replaceAll(/\s/g, "")
  for (const letter of new Set(`${WEB}${JOB}`.replaceAll(/\s/g, ""))) expect(shown).toContain(letter)
  expect([...shown].toSorted().join("")).toBe([...`${HEADING}${WEB}${JOB}`.replaceAll(/\s/g, "")].toSorted().join(""))
})

test("a word that is longer than its column is cut, and nothing of it is lost", () => {
  const lines = fitColumns(["ID\tNAME", `1\t${"x".repeat(100)}`], 40)
  expect(lines.join("").replaceAll(/[^x]/g, "").length).toBe(100)
  expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThanOrEqual(40)
})

test("hanging() wraps beside its label on a terminal, and not in a pipe", () => {
  const text = "one two three four five six seven"
  expect(hanging("name: ", text, 32)).toEqual(["name: one two three four five", "      six seven"])
  expect(hanging("name: ", text, undefined)).toEqual([`name: ${text}`])
})
