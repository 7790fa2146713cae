import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { PastBuild } from "../../build/build.ts"
import type { Digest } from "../../spec/digest.ts"
import { dockerfileLines } from "./dockerfile-lines.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"

const id = "sha256:aa" as Digest
const history = [
  { created_by: "base" },
  { created_by: "RUN /bin/sh -c echo a &&   echo b # buildkit" },
  { created_by: "ENV A=1", empty_layer: true },
  { created_by: "COPY x /x # buildkit" },
  { created_by: "RUN /bin/sh -c gone # buildkit" },
]

test("dockerfileLines() finds what made each layer, where the file still says so", () => {
  const context = tempDirectory("lines-")
  writeFileSync(join(context, "Dockerfile"), "FROM base\nRUN echo a && \\\n  echo b\nENV A=1\nCOPY x /x\nRUN other\n")
  const build = { images: [id], context } as unknown as PastBuild
  expect(dockerfileLines(id, history, [build]).map((one) => one?.line)).toEqual([undefined, 2, 5, undefined])
  expect(dockerfileLines("sha256:bb" as Digest, history, [build])).toEqual([undefined, undefined, undefined, undefined])
  expect(dockerfileLines(id, history, [{ ...build, context: "/nowhere" }])[1]).toBeUndefined()
})
