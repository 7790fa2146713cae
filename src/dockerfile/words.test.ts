import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { expand, expandWord, type WordOptions } from "./words.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

const variables = new Map(
  Object.entries({
    PWD: "/home",
    KOREAN: "한국어",
    EMPTY: "",
    PATHS: "/a/b/a.txt",
    NAME: "foo.tar.gz",
    STARS: "a*b*c",
    NL: "ab\ncb",
    BRACE: "x}y",
    SPACED: "b c",
  }),
)

describe("expand() replaces variables as BuildKit's shell words", () => {
  const cases: [word: string, text: string][] = [
    ["hello", "hello"],
    ["$PWD", "/home"],
    ["he${PWD}x", "he/homex"],
    ["$PWDx", ""],
    ["he'$PWD'x", "he$PWDx"],
    ['he"$PWD"x', "he/homex"],
    ["\\$PWD", "$PWD"],
    ["'\\$PWD'", "\\$PWD"],
    ['"\\$PWD"', "$PWD"],
    ['"\\a\\\\\\""', '\\a\\"'],
    ["a\\ b", "a b"],
    ["end\\", "end"],
    ["$", "$"],
    ["a$", "a$"],
    ["$1x", "x"],
    ["$$", ""],
    ["$-x", "x"],
    ["안녕$KOREAN", "안녕한국어"],
    ["${PWD}", "/home"],
    ["${XX}", ""],
    ["${XX:-def}", "def"],
    ["${EMPTY:-def}", "def"],
    ["${EMPTY-def}", ""],
    ["${XX-def}", "def"],
    ["${PWD:-def}", "/home"],
    ["${XX:-${PWD}/x}", "/home/x"],
    ["${XX:-$PWD:}", "/home:"],
    ["${XX:-'a b'}", "a b"],
    ["${XX:-a}b}", "ab}"],
    ["${PWD:+yes}", "yes"],
    ["${EMPTY:+yes}", ""],
    ["${EMPTY+yes}", "yes"],
    ["${XX+yes}", ""],
    ["${PWD:?no}", "/home"],
    ["${EMPTY?no}", ""],
    ["${PATHS#/a}", "/b/a.txt"],
    ["${PATHS#*/}", "a/b/a.txt"],
    ["${PATHS##*/}", "a.txt"],
    ["${NAME%.*}", "foo.tar"],
    ["${NAME%%.*}", "foo"],
    ["${NAME%.zip}", "foo.tar.gz"],
    ["${NAME#?}", "oo.tar.gz"],
    ["${STARS#a\\*}", "b*c"],
    ["${STARS%\\**}", "a*b"],
    ["${STARS%%\\**}", "a"],
    ["${BRACE%\\}y}", "x"],
    ["${PATHS/a/X}", "/X/b/a.txt"],
    ["${PATHS//a/X}", "/X/b/X.txt"],
    ["${PATHS//\\//_}", "_a_b_a.txt"],
    ["${PATHS/b*/}", "/a/"],
    ["${NAME//./}", "footargz"],
    ["${STARS//\\*/-}", "a-b-c"],
    ["${NL//?b/X}", "X\nX"],
    ["${XX/a/b}", ""],
    ["${PWD//home/$NAME}", "/foo.tar.gz"],
    ["${PWD/*/x}", "x"],
    ["${PWD//*/x}", "x"],
  ]
  test.each(cases)("%s is %p", (word, text) => expect(expandWord(word, variables)).toBe(text))
})

describe("expand() refuses", () => {
  const bad: [word: string, why: string][] = [
    ["'x", "looking for matching single-quote"],
    ['"x', "looking for matching double-quote"],
    ["${", "missing '}'"],
    ["${PWD", "missing '}'"],
    ["${PWD:", "missing '}'"],
    ["${PWD:-x", "missing '}'"],
    ["${}", "bad substitution"],
    ["${:-x}", "bad substitution"],
    ["${{PWD}}", "bad substitution"],
    ["${PWD!x}", "unsupported modifier (!)"],
    ["${PWD:=x}", "unsupported modifier (:=)"],
    ["${PWD/a}", "missing '/' in ${}"],
    ["${PWD/a/b", "missing '}'"],
    ["${PWD#\\a}", "invalid escape '\\a'"],
    ["${XX:?must be there}", "XX: must be there"],
    ["${XX?}", "XX: is not allowed to be unset"],
    ["${EMPTY:?}", "EMPTY: is not allowed to be empty"],
  ]
  test.each(bad)("%s", (word, why) => expect(() => expandWord(word, variables)).toThrow(why))
})

describe("expand() with options", () => {
  const cases: [word: string, options: WordOptions, text: string][] = [
    ["`$PWD \\x", { escape: "`" }, "$PWD \\x"],
    ["$XX ${XX} ${XX:-d} ${XX#a*} ${XX/a/b}", { keepUnset: true }, "$XX ${XX} ${XX:-d} ${XX#a*} ${XX/a/b}"],
    ["'a' \"$PWD\"", { rawQuotes: true }, "'a' \"/home\""],
    ["a\\b", { rawEscapes: true }, "a\\b"],
    ['it\'s $PWD \\$PWD "q"', { skipQuotes: true }, 'it\'s /home $PWD "q"'],
  ]
  test.each(cases)("%s %o", (word, options, text) => expect(expandWord(word, variables, options)).toBe(text))
})

test("expand() parts words at spaces of the text and of values, not at quoted or escaped ones", () => {
  expect(expand("a  'b c' d\\ e $SPACED \"$SPACED\"", variables).words).toEqual(["a", "b c", "d e", "b", "c", "b c"])
})

test("expand() tells which names had a value and which had none", () => {
  const { used, unset } = expand("$PWD ${XX:-$YY} $EMPTY", variables)
  expect([...used]).toEqual(["PWD", "EMPTY"])
  expect([...unset].toSorted()).toEqual(["XX", "YY"])
})

test("what doubles without end is refused", () => {
  let value = "x".repeat(1000)
  expect(() => {
    for (let round = 0; round < 20; round++) value = expandWord("$V$V", new Map([["V", value]]))
  }).toThrow("more than 1 MiB")
})

test("substitutions within each other have an end", () => {
  expect(() => expandWord("${x:-".repeat(100_000), variables)).toThrow("more than 100 substitutions")
  expect(expandWord("${x:-".repeat(50) + "}".repeat(50), variables)).toBe("")
})

test("a pattern of many stars on a long value ends at once", () => {
  const long = new Map([["V", "a".repeat(10_000)]])
  const started = cpuMs()
  expect(expandWord("${V##*a*a*a*a*a*a*b}", long)).toHaveLength(10_000)
  expect(cpuMs() - started).toBeLessThan(5_000)
})

test("any text either expands or is refused with its reason", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."$ab{}:-+?#%/*\\'\" \t1é") }), (word) => {
      try {
        expand(word, new Map([["a", "ab"]]))
      } catch (error) {
        expect(error).toMatchObject({ code: "InvalidArgument" })
      }
    }),
  )
})

test("single quotes give back any text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes("'"))
      expect(expandWord(`'${text}'`, variables)).toBe(text)
    }),
  )
})
