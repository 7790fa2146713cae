import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from "node:fs"
import { rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MovedMounts } from "./moved-mounts.ts"

const OLD = new Date("2020-01-01")

describe("what is put into a root where nothing can be mounted", () => {
  let top = ""
  const at = (path: string): string => join(top, path)
  const open = (): MovedMounts => new MovedMounts(at("root"), at("aside"))

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "skiff-places-"))
    for (const directory of ["root/etc", "aside", "source/cache", "outside"])
      mkdirSync(at(directory), { recursive: true })
    writeFileSync(at("root/etc/hosts"), "the image's")
    writeFileSync(at("source/hosts"), "ours")
    writeFileSync(at("outside/canary"), "canary")
    utimesSync(at("root/etc"), OLD, OLD)
  })
  afterEach(() => rmSync(top, { recursive: true, force: true }))

  test("is there for its time, and what it covered comes back, with the times of the directories", async () => {
    {
      await using places = open()
      places.put("/etc/hosts", at("source/hosts"))
      places.put("/new/directory/file", at("source/cache"))
      expect(readFileSync(at("root/etc/hosts"), "utf8")).toBe("ours")
      expect(statSync(at("root/new/directory/file")).isDirectory()).toBe(true)
    }
    expect(readFileSync(at("root/etc/hosts"), "utf8")).toBe("the image's")
    expect(statSync(at("root/etc")).mtime).toEqual(OLD)
    expect(readdirSync(at("root"))).toEqual(["etc"])
  })

  test("a directory goes home with what was written into it, a file does not", async () => {
    {
      await using places = open()
      places.put("/cache", at("source/cache"))
      places.put("/secret", at("source/hosts"))
      writeFileSync(at("root/cache/kept"), "1")
    }
    expect(readdirSync(at("source/cache"))).toEqual(["kept"])
    expect(readdirSync(at("source"))).toEqual(["cache"])
    expect(readdirSync(at("root"))).toEqual(["etc"])
  })

  test("one inside another comes and goes with it", async () => {
    {
      await using places = open()
      places.put("/cache", at("source/cache"))
      places.put("/cache/a/b", at("source/hosts"))
      expect(readFileSync(at("root/cache/a/b"), "utf8")).toBe("ours")
    }
    expect(readdirSync(at("source/cache"))).toEqual([])
  })

  test("a link in the way is followed inside the root alone", async () => {
    symlinkSync("../../../../outside", at("root/run"))
    {
      await using places = open()
      places.put("/run/x/hosts", at("source/hosts"))
      expect(readFileSync(at("root/outside/x/hosts"), "utf8")).toBe("ours")
    }
    expect(readdirSync(at("outside"))).toEqual(["canary"])
    expect(existsSync(at("root/outside/x"))).toBe(false)
  })

  test("a step that puts a link in the place of a cache does not lead the next one out", async () => {
    {
      await using places = open()
      places.put("/cache", at("source/cache"))
      renameSync(at("root/cache"), at("root/taken"))
      symlinkSync(at("outside"), at("root/cache"))
    }
    expect(existsSync(at("source/cache"))).toBe(false)
    expect(readdirSync(at("outside"))).toEqual(["canary"])
  })

  test("a directory that the step removed, or moved, is not missed", async () => {
    {
      await using places = open()
      places.put("/etc/hosts", at("source/hosts"))
      rmSync(at("root/etc"), { recursive: true })
      symlinkSync(at("outside"), at("root/etc"))
    }
    expect(lstatSync(at("root/etc")).isSymbolicLink()).toBe(true)
    expect(readdirSync(at("outside"))).toEqual(["canary"])
  })

  test("the devices are new ones, and /dev is as it was", async () => {
    mkdirSync(at("root/dev"))
    writeFileSync(at("root/dev/left"), "")
    {
      await using places = open()
      places.putDevices()
      expect(readdirSync(at("root/dev")).toSorted()).toContain("null")
      writeFileSync(at("root/dev/null"), "away")
    }
    expect(readdirSync(at("root/dev"))).toEqual(["left"])
  })
})
