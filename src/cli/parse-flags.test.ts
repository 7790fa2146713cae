import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { flag } from "./flag.ts"
import { parseFlags } from "./parse-flags.ts"

const FLAGS = {
  detach: flag.bool("", { short: "d" }),
  env: flag.strings("", "list", { short: "e" }),
  interactive: flag.bool("", { short: "i" }),
  memory: flag.size("", { short: "m" }),
  name: flag.string(""),
  network: flag.string("", "network", { aliases: ["net"] }),
  publish: flag.strings("", "list", { short: "p" }),
  rm: flag.bool(""),
  sigProxy: flag.bool("", { initial: true }),
  tty: flag.bool("", { short: "t" }),
}

const run = (...argv: string[]) => parseFlags(FLAGS, argv, false)
const ls = (...argv: string[]) => parseFlags(FLAGS, argv, true)

describe("parseFlags()", () => {
  test("a boolean flag never eats the next word", () => {
    expect(run("--rm", "busybox")).toMatchObject({ values: { rm: true }, words: ["busybox"] })
    expect(run("--rm", "false")).toMatchObject({ values: { rm: true }, words: ["false"] })
    expect(run("--rm=false", "busybox").values.rm).toBe(false)
    expect(run("--sig-proxy=false", "x").values.sigProxy).toBe(false)
  })
  test("letters join, and the last may carry its value", () => {
    expect(run("-itd", "x").values).toMatchObject({ interactive: true, tty: true, detach: true })
    expect(run("-itp8080:80", "x").values.publish).toEqual(["8080:80"])
    expect(run("-p8080:80", "-p=81:81", "-p", "82", "x").values.publish).toEqual(["8080:80", "81:81", "82"])
    expect(run("-i=false", "x").values.interactive).toBe(false)
  })
  test("values come by a blank or an equals sign, and repeat", () => {
    expect(run("-e", "A=b", "--env", "C=d", "--env=E=f=g", "x").values.env).toEqual(["A=b", "C=d", "E=f=g"])
    expect(run("--name=a", "--name", "b", "x").values.name).toBe("b")
    expect(run("--net", "none", "x").values.network).toBe("none")
    expect(run("--name", "-x", "y").values.name).toBe("-x")
    expect(run("-m", "1g", "x").values.memory).toBe(1024 ** 3)
  })
  test("flags after the image belong to the program", () => {
    expect(run("-i", "x", "sh", "-c", "-t", "--rm")).toMatchObject({
      values: { interactive: true, tty: false, rm: false },
      words: ["x", "sh", "-c", "-t", "--rm"],
    })
    expect(run("x", "--help")).toMatchObject({ words: ["x", "--help"], help: false })
  })
  test("elsewhere they may stand anywhere, until --", () => {
    expect(ls("a", "-d", "b", "--", "-t", "--x")).toMatchObject({
      values: { detach: true, tty: false },
      words: ["a", "b", "-t", "--x"],
    })
    expect(ls("-").words).toEqual(["-"])
  })
  test("--help and a free -h ask for help", () => {
    expect(run("--help").help).toBe(true)
    expect(run("-i", "-h").help).toBe(true)
  })
  test.each([
    [["--nmae", "x"], "unknown flag: --nmae"],
    [["--no-such=1"], "unknown flag: --no-such"],
    [["-ix"], "unknown shorthand flag: 'x' in -ix"],
    [["--name"], "flag needs an argument: --name"],
    [["-it", "-p"], "flag needs an argument: 'p' in -p"],
    [["--rm=maybe", "x"], 'invalid argument "maybe" for "--rm" flag'],
    [["-m", "lots", "x"], 'invalid argument "lots" for "-m, --memory" flag'],
  ])("refuses %p", (argv, words) => expect(() => run(...argv)).toThrow(words))

  test("a wrong flag ends with 125 and names the nearest right one", () => {
    expect(() => run("--nmae", "x")).toThrow(expect.objectContaining({ exitCode: 125, hint: "did you mean --name?" }))
  })
  test("every word after the first non-flag comes back unchanged", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(run("-i", "image", ...words).words).toEqual(["image", ...words])
      }),
    )
  })
})
