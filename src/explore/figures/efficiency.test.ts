import { expect, test } from "bun:test"
import { openLayers, type TestEntry } from "../explore.suite.ts"

const sized = (name: string, bytes: number): TestEntry => ({ name, text: "x".repeat(bytes) })

test("figures() counts dive's own example of three layers: a file again, and its directory removed", async () => {
  await using image = await openLayers([
    [sized("etc/nginx/nginx.conf", 2000), sized("etc/nginx/public", 3000)],
    [sized("etc/nginx/nginx.conf", 5000), sized("etc/athing", 10000)],
    [{ name: "etc/.wh.nginx" }],
  ])
  const figures = await image.figures()
  // a directory that has no entry of its own is none to dive, so its whiteout counts nothing
  expect(figures.efficiency).toBeCloseTo(0.75, 12)
  expect(figures).toMatchObject({ sizeBytes: 20000, userBytes: 15000, wastedBytes: 7000 })
  expect(figures.wastedUserPercent).toBeCloseTo(7000 / 15000, 12)
  expect(figures.inefficiencies).toEqual([{ path: "etc/nginx/nginx.conf", count: 2, sizeBytes: 7000 }])
})

test("figures() of an image without bytes are those of a perfect one", async () => {
  await using image = await openLayers([[{ name: "nothing" }], []])
  expect(await image.figures()).toMatchObject({ efficiency: 1, wastedBytes: 0, inefficiencies: [] })
})

test("figures() count the steps of dive's test image: a file removed counts 0, a directory what is left of it", async () => {
  const file = (name: string) => sized(name, 6405)
  await using image = await openLayers([
    [sized("bin/busybox", 1154361)],
    [file("somefile.txt")],
    [{ name: "root/" }, { name: "root/example/" }, file("root/example/somefile1.txt")],
    [{ name: "root/example/" }, { ...file("root/example/somefile1.txt"), mode: 0o444 }],
    [{ name: "root/example/" }, file("root/example/somefile3.txt")],
    [file("root/saved.txt"), { name: "root/example/" }, { name: "root/example/.wh.somefile3.txt" }],
    [{ name: "root/.wh.example" }],
    [{ ...file("root/saved.txt"), mode: 0o755 }],
  ])
  const { inefficiencies, wastedBytes, efficiency, userBytes } = await image.figures()
  expect(inefficiencies).toEqual([
    { path: "root/saved.txt", count: 2, sizeBytes: 12810 },
    { path: "root/example/somefile1.txt", count: 2, sizeBytes: 12810 },
    { path: "root/example/somefile3.txt", count: 2, sizeBytes: 6405 },
  ])
  expect([wastedBytes, userBytes]).toEqual([32025, 6 * 6405])
  // root/example: only somefile1.txt was left when it went
  const least = 1154361 + 6405 + 6405 + 0 + 6405 + 6405
  const all = 1154361 + 6405 + 12810 + 6405 + 12810 + 6405
  expect(efficiency).toBeCloseTo(least / all, 12)
})

test("figures() leave out, as dive does, what comes after a whiteout of nothing", async () => {
  await using image = await openLayers([
    [sized("a", 10), sized("z", 30)],
    [sized("a", 20), { name: "d/.wh.gone" }, sized("d/x", 5), sized("z", 40)],
  ])
  const { efficiency, wastedBytes, sizeBytes } = await image.figures()
  // its row for /d/gone has no size yet: -1
  expect(efficiency).toBeCloseTo((10 + 30 - 1) / (30 + 30), 12)
  expect([wastedBytes, sizeBytes]).toEqual([30, 105])
})

test("figures() count hard links as nothing, empty directories and names that came twice once", async () => {
  const link: TestEntry = { name: "b", type: "hardlink", linkName: "a" }
  await using image = await openLayers([
    [sized("a", 100), link, { name: "empty/" }, sized("twice", 1), sized("twice", 2)],
    [{ name: "empty/" }, { name: "./a", text: "y".repeat(50) }],
  ])
  const { efficiency, inefficiencies, sizeBytes } = await image.figures()
  expect(sizeBytes).toBe(153)
  expect(efficiency).toBeCloseTo((50 + 2) / (150 + 2), 12)
  expect(inefficiencies).toEqual([
    { path: "a", count: 2, sizeBytes: 150 },
    { path: "empty", count: 2, sizeBytes: 0 },
  ])
})
