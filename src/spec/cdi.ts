/**
 * The Container Device Interface: what a vendor says must be in a container that has one of its devices. Files of root's, so they are
 * believed; what they hold is checked all the same, for a wrong one shall say so. Pure.
 */
import * as v from "valibot"
import { InvalidArgument } from "../base/errors.ts"
import { isCdiName } from "./cdi-name.ts"
import { absent, checkDocument } from "./parse-document.ts"

const EDITS = v.object({
  env: absent(v.array(v.string())),
  deviceNodes: absent(
    v.array(
      v.object({
        path: v.string(),
        hostPath: absent(v.string()),
        permissions: absent(v.pipe(v.string(), v.regex(/^[rwm]{1,3}$/))),
        fileMode: absent(v.number()),
        uid: absent(v.number()),
        gid: absent(v.number()),
      }),
    ),
  ),
  mounts: absent(
    v.array(
      v.object({
        hostPath: v.string(),
        containerPath: v.string(),
        options: absent(v.array(v.string())),
        type: absent(v.string()),
      }),
    ),
  ),
  hooks: absent(
    v.array(
      v.object({
        hookName: v.picklist([
          "prestart",
          "createRuntime",
          "createContainer",
          "startContainer",
          "poststart",
          "poststop",
        ]),
        path: v.string(),
        args: absent(v.array(v.string())),
        env: absent(v.array(v.string())),
        timeout: absent(v.number()),
      }),
    ),
  ),
  additionalGids: absent(v.array(v.number())),
  intelRdt: absent(v.object({ closID: absent(v.string()) })),
})

const SPEC = v.object({
  cdiVersion: v.string(),
  kind: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w-]*$/)),
  devices: v.array(v.object({ name: v.string(), containerEdits: EDITS })),
  containerEdits: absent(EDITS),
})

/** What is to be changed of a container. */
export type ContainerEdits = v.InferOutput<typeof EDITS>

/** One file. */
export type CdiSpec = v.InferOutput<typeof SPEC>

/** Throws DataLoss with the field at fault. */
export function parseCdiSpec(document: unknown, what: string): CdiSpec {
  return checkDocument(SPEC, document, what)
}

/** A device by its qualified name. */
export interface CdiDevice {
  /** `nvidia.com/gpu` */
  kind: string
  /** `0`, `all` */
  name: string
}

/** Throws InvalidArgument. */
export function parseCdiName(text: string): CdiDevice {
  if (!isCdiName(text))
    throw new InvalidArgument(`"${text}" is no device of the Container Device Interface`, {
      hint: "expected VENDOR/CLASS=NAME, such as nvidia.com/gpu=0",
    })
  const at = text.indexOf("=")
  return { kind: text.slice(0, at), name: text.slice(at + 1) }
}

/** All of them in one; of a kind that several devices are of, its own edits come once. Pure. */
export function mergeEdits(edits: readonly ContainerEdits[]): ContainerEdits {
  return {
    env: edits.flatMap(({ env = [] }) => env),
    deviceNodes: edits.flatMap(({ deviceNodes = [] }) => deviceNodes),
    mounts: edits.flatMap(({ mounts = [] }) => mounts),
    hooks: edits.flatMap(({ hooks = [] }) => hooks),
    additionalGids: edits.flatMap(({ additionalGids = [] }) => additionalGids),
    intelRdt: edits.findLast(({ intelRdt }) => intelRdt !== undefined)?.intelRdt,
  }
}
