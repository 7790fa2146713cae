import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { isSkiffError } from "../../base/errors.ts"
import { evaluate } from "./evaluate.ts"
import { parseTemplate } from "./parser.ts"

const DATA = {
  ID: "0123456789abcdef",
  Names: "web",
  Id: "x",
  Count: 3,
  Ratio: 0.5,
  Up: true,
  None: null,
  Labels: new Map([
    ["b", "2"],
    ["a.b", "1"],
  ]),
  Mounts: [{ Source: "/a" }, { Source: "/b" }],
  Empty: [],
  State: { Running: true, Pid: 42 },
  Label: (name: unknown) => `label ${String(name)}`,
}

const fill = (text: string) => evaluate(parseTemplate(text), DATA)

describe("templates", () => {
  test.each([
    ["plain", "plain"],
    ["{{.Names}}", "web"],
    ["{{.ID}} {{.Names}}", "0123456789abcdef web"],
    ["{{.State.Pid}}", "42"],
    ["{{.State.Running}}", "true"],
    ["{{json .State}}", '{"Running":true,"Pid":42}'],
    ["{{json .Labels}}", '{"b":"2","a.b":"1"}'],
    ["{{.Names | upper | json}}", '"WEB"'],
    ['{{index .Labels "a.b"}}', "1"],
    ['{{index .Labels "none"}}', ""],
    ["{{(index .Mounts 1).Source}}", "/b"],
    ["{{.Labels.b}} {{.Labels.none}}", "2 <no value>"],
    ["{{.None}}", "<nil>"],
    ["{{.Mounts}}", "[map[Source:/a] map[Source:/b]]"],
    ["{{len .Mounts}} {{len .Names}} {{len .Labels}}", "2 3 2"],
    ["{{range .Mounts}}[{{.Source}}]{{end}}", "[/a][/b]"],
    ["{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{$i}}={{$m.Source}}{{end}}", "0=/a,1=/b"],
    ["{{range $k, $v := .Labels}}{{$k}}:{{$v}} {{end}}", "a.b:1 b:2 "],
    ["{{range .Empty}}x{{else}}none{{end}}", "none"],
    ['{{range .Mounts}}{{if eq .Source "/b"}}{{break}}{{end}}{{.Source}}{{end}}', "/a"],
    ['{{range .Mounts}}{{if eq .Source "/a"}}{{continue}}{{end}}{{.Source}}{{end}}', "/b"],
    ["{{with .State}}{{.Pid}} {{$.Names}}{{end}}", "42 web"],
    ["{{if .Empty}}a{{else if .Up}}b{{else}}c{{end}}", "b"],
    ["{{if and .Up (eq .Count 3)}}y{{end}}{{if or .None .Empty}}n{{end}}{{if not .None}}z{{end}}", "yz"],
    [
      '{{eq .Names "a" "web"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}}',
      "true true true true false true",
    ],
    ['{{$x := .Names}}{{$x}}{{$x = "y"}}{{$x}}', "weby"],
    ["{{if .Up}}{{$x := 1}}{{$x}}{{end}}", "1"],
    ["a {{- .Names -}} b", "awebb"],
    ["a {{/* no word */}}b{{- /* trims */ -}} c", "a bc"],
    [
      '{{printf "%s|%-6s|%6s|%q|%v|%d|%05d|%x|%.2f|%t|%%" .Names .Names .Names .Names .Mounts .Count .Count 255 .Ratio .Up}}',
      'web|web   |   web|"web"|[map[Source:/a] map[Source:/b]]|3|00003|ff|0.50|true|%',
    ],
    ['{{printf "%d" .Names}} {{printf "%s"}}', "%!d(string=web) %!s(MISSING)"],
    ['{{join (split "a,b" ",") "-"}}', "a-b"],
    ['{{title "some words"}} {{lower "ABC"}} {{truncate .ID 4}}{{pad "x" 1 2}}.', "Some Words abc 0123 x  ."],
    ['{{println "a" 1}}', "a 1\n"],
    ['{{print "a" "b" 1 2}}', "ab1 2"],
    ["{{slice .ID 0 3}}", "012"],
    ['{{.Label "x"}}', "label x"],
    ['{{"x" | .Label}}', "label x"],
    ["{{`raw \\n`}}", "raw \\n"],
    ['{{"tab\\there"}}', "tab\there"],
    [`{{"a \\\\s"}}`, "a \\s"],
    ["{{.}}", "map["],
  ])("%s", (text, wanted) => expect(fill(text)).toStartWith(wanted))

  test(".ID and .Id are one field when only one is there", () => {
    expect(evaluate(parseTemplate("{{.ID}}"), { Id: "a" })).toBe("a")
    expect(evaluate(parseTemplate("{{.ImageID}}"), { ImageId: "b" })).toBe("b")
  })

  test.each([
    ["{{", "1:1: unclosed action"],
    ["{{.Names", "1:1: unclosed action"],
    ["a\n {{.Names | }}", "2:2: missing value for command"],
    ["{{}}", "1:1: missing value for command"],
    ["{{.Nmaes}}", "1:3: can't evaluate field Nmaes"],
    ["{{.State.Foo}}", "1:9: can't evaluate field Foo"],
    ["{{.None.Foo}}", "nil pointer evaluating .Foo"],
    ["{{nope .Names}}", 'function "nope" not defined'],
    ["{{constructor}}", 'function "constructor" not defined'],
    ["{{.constructor}}", "can't evaluate field constructor"],
    ["{{.__proto__}}", "can't evaluate field __proto__"],
    ["{{if .Up}}x", "{{if}} without {{end}}"],
    ["x{{end}}", "unexpected {{end}}"],
    ["{{else}}", "unexpected {{else}}"],
    ["{{$x}}", 'undefined variable "$x"'],
    ['{{"abc}}', "unterminated quoted string"],
    ["{{(.Names}}", "unclosed left paren"],
    ["{{.Names ; }}", 'unexpected ";"'],
    ["{{index .Mounts 7}}", "index out of range: 7"],
    ["{{lt 1 .Names}}", "incompatible types for comparison"],
    ["{{range .Count}}{{end}}", "range can't iterate over 3"],
    ["{{pad .Names 99999999 1}}", "expected a number of characters"],
    ['{{template "x"}}', "not supported"],
  ])("refuses %p", (text, words) => expect(() => fill(text)).toThrow(words))

  test("whatever is given, a template is filled in or refused as a user's mistake", () => {
    const piece = fc.constantFrom(
      ...'{{ }} {{- -}} .Names .State.Pid $x := = | ( ) if range with else end json index len printf "%s" 1 true nil , . " ` /* */ text'.split(
        " ",
      ),
      " ",
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 20 }).map((parts) => parts.join(" ")),
        ),
        (text) => {
          try {
            expect(typeof fill(text)).toBe("string")
          } catch (error) {
            if (!isSkiffError(error, "InvalidArgument")) throw error
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
