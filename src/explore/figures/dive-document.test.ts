import { expect, test } from "bun:test"
import { openLayers } from "../explore.suite.ts"

test("diveDocument() is what dive writes, as Go indents and escapes it", async () => {
  await using image = await openLayers(
    [
      [
        { name: "tmp/", mode: 0o1777 },
        { name: "tmp/<f>", text: "abc" },
        { name: "x/l", type: "symlink", linkName: "t", mode: 0o777 },
      ],
      [
        { name: "tmp/", mode: 0o1777 },
        { name: "tmp/.wh.<f>", mode: 0 },
      ],
    ],
    { history: [{ created_by: "/bin/sh -c echo a > /b" }, { created_by: "nothing", empty_layer: true }] },
  )
  const text = (await Array.fromAsync(image.diveDocument())).join("")
  const expected = {
    layer: [
      {
        index: 0,
        id: "layer-0",
        digestId: image.layers[0]?.diffId,
        sizeBytes: 3,
        command: "echo a > /b",
        fileList: [
          file("tmp/<f>", 48, 3, 0o644),
          file("tmp", 53, 0, 2_148_532_735),
          file("x/l", 50, 0, 134_218_239, "t"),
          file("", 0, 0, 0),
        ],
      },
      {
        index: 1,
        id: "layer-1",
        digestId: image.layers[1]?.diffId,
        sizeBytes: 0,
        command: "(missing)",
        fileList: [file("tmp/.wh.<f>", 48, 0, 0), file("tmp", 53, 0, 2_148_532_735)],
      },
    ],
    image: {
      sizeBytes: 3,
      inefficientBytes: 3,
      efficiencyScore: 0,
      fileReference: [{ count: 2, sizeBytes: 3, file: "/tmp/<f>" }],
    },
  }
  const go = JSON.stringify(expected, null, 2)
    .replaceAll("<", String.raw`\u003c`)
    .replaceAll(">", String.raw`\u003e`)
  expect(text).toBe(go)
})

function file(path: string, typeFlag: number, size: number, fileMode: number, linkName = ""): object {
  return { path, typeFlag, linkName, size, fileMode, uid: 0, gid: 0, isDir: typeFlag === 53 }
}
