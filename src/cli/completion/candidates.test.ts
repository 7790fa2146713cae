import { expect, test } from "bun:test"
import { candidates } from "./candidates.ts"

const NAMES = {
  containers: ["web", "db"],
  running: ["web"],
  images: ["busybox:latest", "debian:12"],
  volumes: ["data"],
  secrets: ["token"],
  pods: ["shop"],
  services: ["api", "app"],
  networks: ["bridge", "host", "none"],
  objects: ["web", "db", "debian:12"],
}

/** Completes a line; `|` is not needed: the cursor stands at its end. */
async function complete(line: string): Promise<string[]> {
  const { words, files } = await candidates(line.split(" "), async (kind) => NAMES[kind])
  return [...words.map((word) => word.split("\t")[0] ?? ""), ...(files ? [":files"] : [])]
}

test.each([
  ["ru", ["run"]],
  ["imag", ["image", "images"]],
  ["image pu", ["pull", "push"]],
  ["container re", ["rename", "restart", "restore", "remove"]],
  ["--log-level de", ["debug"]],
  ["--debug ru", ["run"]],
  ["run --rest", ["--restart"]],
  ["run --restart al", ["always"]],
  ["run --restart=al", ["--restart=always"]],
  ["run --network h", ["host"]],
  ["run -it --net n", ["none"]],
  ["run -it b", ["busybox:latest"]],
  ["run --rm d", ["debian:12"]],
  ["run --env-file x", [":files"]],
  ["run debian:12 -", [":files"]],
  ["stop ", ["web"]],
  ["rm -f ", ["web", "db"]],
  ["rm web ", ["web", "db"]],
  ["volume rm ", ["data"]],
  ["compose --proj", ["--project-directory", "--project-name"]],
  ["compose -f x.yaml por", ["port"]],
  ["compose -p shop --profile all logs -f a", ["api", "app"]],
  ["compose -f ", [":files"]],
  ["ps ", []],
  ["scan d", ["db", "db", "debian:12"]],
  ["scan db p", ["pull", "push"]],
  ["scan web i", []],
  ["nope ", []],
])("%p", async (line, words) => expect(await complete(line)).toEqual(words))
