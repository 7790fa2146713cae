import { describe, expect, test } from "bun:test"
import type { Event } from "../event/event.ts"
import { actionsOfStatus, podmanEventDocument, podmanEventLine, podmanEvents } from "./event.ts"

const NETWORK = { kept: "bridge", shown: "podman" }
const timeNs = 1_796_070_614_847_541_180n

const event = (type: Event["type"], action: string, id: string, attributes: Record<string, string> = {}): Event => ({
  id: 1,
  type,
  action,
  actor: { id, attributes },
  timeNs,
})
const web = { name: "web", image: "quay.io/app:1", tier: "front" }
const lines = (one: Event) => podmanEvents(one, NETWORK).map(podmanEventLine)

describe("podman's events", () => {
  test("of a container name image, name and labels; a start was made ready before, an end is cleaned up after", () => {
    const tail = "c1 (image=quay.io/app:1, name=web, tier=front)"
    expect(lines(event("container", "start", "c1", web))).toEqual([
      `2026-11-30 20:30:14.84754118 +0000 UTC container init ${tail}`,
      `2026-11-30 20:30:14.84754118 +0000 UTC container start ${tail}`,
    ])
    expect(lines(event("container", "die", "c1", { ...web, exitCode: "3" })).map((line) => line.split(" ")[5])).toEqual(
      ["died", "cleanup"],
    )
    expect(lines(event("container", "exec_create: ls", "c1", web))).toEqual([])
  })

  test("of other objects have each their line", () => {
    expect(lines(event("image", "load", "sha256:1", { name: "app" }))[0]).toEndWith(
      "image loadfromarchive sha256:1 app",
    )
    expect(lines(event("volume", "destroy", "data"))[0]).toEndWith("UTC volume remove data")
    expect(lines(event("network", "connect", "n", { name: "front", container: "c1" }))[0]).toEndWith(
      "UTC network connect c1 (container=c1, name=front)",
    )
    expect(lines(event("network", "connect", "n", { name: "bridge", container: "c1" }))).toEqual([])
    expect(lines(event("sandbox", "create", "s"))).toEqual([])
  })

  test("are documents with the exit code and labels apart", () => {
    const [died] = podmanEvents(event("container", "die", "c1", { ...web, exitCode: "3" }), NETWORK)
    expect(died && JSON.parse(JSON.stringify(podmanEventDocument(died)))).toEqual({
      ContainerExitCode: 3,
      ID: "c1",
      Image: "quay.io/app:1",
      Name: "web",
      Status: "died",
      Type: "container",
      time: 1_796_070_614,
      timeNano: Number(timeNs),
      Attributes: { tier: "front" },
    })
  })

  test("are asked for by podman's statuses", () => {
    expect(actionsOfStatus("died")).toEqual(["die", "died"])
    expect(actionsOfStatus("remove")).toEqual(["destroy", "delete", "remove"])
    expect(actionsOfStatus("init")).toEqual(["start"])
  })
})
