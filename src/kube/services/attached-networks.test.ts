import { describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { Database } from "../../base/database.ts"
import { openNetworks } from "../../network/open.ts"
import { networkSchema } from "../../network/schema.ts"
import { attachedNetworks, NETWORKS_ANNOTATION, parseAttached } from "./attached-networks.ts"

describe("further networks of a pod", () => {
  test.each([
    ["", []],
    ["web", [{ network: "web" }]],
    ["shop/web@net1, other", [{ network: "web", interface: "net1" }, { network: "other" }]],
    ['[{"name":"web","interface":"net1"},{"name":"b"}]', [{ network: "web", interface: "net1" }, { network: "b" }]],
  ])("are named by %p", (text, wanted) => expect(parseAttached(text)).toEqual(wanted))

  test.each(["a b", "a@", "[", "[1]", '{"name":"a"}', '[{"name":"a","interface":1}]', "../a", ",", "a,".repeat(9)])(
    "are not named by %p",
    (text) => expect(() => parseAttached(text)).toThrow(expect.objectContaining({ code: "InvalidArgument" })),
  )

  test("are those of CNI alone", () => {
    const directory = tempDirectory("skiff-attached-")
    mkdirSync(`${directory}/net.d`)
    const plugins = [{ type: "bridge", bridge: "cni9" }]
    writeFileSync(`${directory}/net.d/lab.conflist`, JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins }))
    using db = new Database(`${directory}/skiff.db`)
    db.migrate([networkSchema])
    const networks = openNetworks({ db, runRoot: directory, cniConfigDirectory: `${directory}/net.d` })
    const asked = (text: string) => attachedNetworks({ [NETWORKS_ANNOTATION]: text }, networks)
    expect(asked("lab")).toEqual([{ network: "lab" }])
    expect(attachedNetworks(undefined, networks)).toEqual([])
    expect(() => asked("bridge")).toThrow(expect.objectContaining({ code: "FailedPrecondition" }))
    expect(() => asked("nowhere")).toThrow(expect.objectContaining({ code: "NotFound" }))
  })
})
