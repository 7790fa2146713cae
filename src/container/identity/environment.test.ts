import { expect, test } from "bun:test"
import { environment, type EnvironmentInput } from "./environment.ts"

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
const of = (input: Partial<EnvironmentInput>) =>
  environment({ image: [], own: [], hostname: "me", tty: false, ...input })

test("the caller's are below the engine's, those below the image's, and the container's own above all", () => {
  const below = ["A=caller", "B=caller", "PATH=/caller", "HOSTNAME=caller"]
  expect(of({ more: { below }, image: ["B=image", "C=image"], own: ["C=own"] })).toEqual([
    "A=caller",
    "B=image",
    PATH,
    "HOSTNAME=me",
    "C=own",
  ])
})

test("merged variables are made of what image and engine give, once", () => {
  const merge = ["PATH=/opt:${PATH}", "A=$B-${NONE}-$$", "C=${A}"]
  expect(of({ image: ["B=${HOSTNAME}"], more: { merge } })).toEqual([
    PATH.replace("PATH=", "PATH=/opt:"),
    "HOSTNAME=me",
    "B=${HOSTNAME}",
    "A=${HOSTNAME}--$$",
    "C=${HOSTNAME}--$$",
  ])
})

test("what is unset is what image and engine give, never what was asked for", () => {
  expect(of({ image: ["A=1"], own: ["PATH=/own"], more: { unset: ["PATH", "A"] } })).toEqual([
    "HOSTNAME=me",
    "PATH=/own",
  ])
  expect(of({ image: ["A=1"], own: ["B=2"], tty: true, more: { unsetAll: true, engineName: "x" } })).toEqual(["B=2"])
})

test("an entry of the image that is none is left out, and one of the caller's is refused", () => {
  expect(of({ image: ["HOSTSECRET", "=x", "A\0=1", ""] })).toEqual([PATH, "HOSTNAME=me"])
  for (const entry of ["=x", "", "A\0=1"]) expect(() => of({ own: [entry] })).toThrow("invalid environment variable")
})
