import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import { isTree, listAt, textAt } from "../../kube/kube.ts"
import type { Arg } from "../args.ts"
import { command, type Command, type CommandSpec } from "../command.ts"
import type { Flags } from "../flag.ts"

/** A command of kubectl's: what the server says is told in kubectl's words. */
export function kubeCommand<const A extends readonly Arg<unknown>[], const F extends Flags>(
  spec: CommandSpec<A, F>,
): Command {
  return command({
    ...spec,
    async run(context) {
      try {
        return await spec.run({ ...context, flags: withGroup(context.flags, context.group) })
      } catch (error) {
        throw asServerError(error)
      }
    },
  })
}

/** `kube -n shop get pods`: what stands before the verb holds where the verb has nothing of its own. */
function withGroup<F extends object>(flags: F, group: Readonly<Record<string, unknown>>): F {
  const own = Object.entries(flags).filter(([, value]) => value !== undefined)
  const shared = Object.entries(group).filter(([key, value]) => value !== undefined && key in flags)
  return { ...flags, ...Object.fromEntries(shared), ...Object.fromEntries(own) }
}

/** `Error from server (NotFound): …`; what is invalid field by field. `doing`: before the message. */
export function asServerError(error: unknown, doing = ""): unknown {
  if (!isSkiffError(error) || error.data["isTold"] === true) return error
  const { reason, isUnknownKind } = error.data
  if (typeof reason !== "string" || isUnknownKind === true)
    return doing === "" ? error : told(error, `${doing}${error.message}`)
  if (reason === "Invalid" && listAt(error.data, "causes").length > 0) return told(error, invalidText(error))
  const conflicts = listAt(error.data, "causes").filter((cause) => textAt(cause, "reason") === "FieldManagerConflict")
  if (conflicts.length > 0) return told(error, `${error.message}\n${CONFLICT_HELP}`)
  return told(error, `Error from server (${reason}): ${doing}${error.message}`)
}

const CONFLICT_HELP = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`

function told(error: SkiffError, message: string): SkiffError {
  return error.restated(message, { data: { isTold: true } })
}

function invalidText(error: SkiffError): string {
  const causes = listAt(error.data, "causes").filter(isTree)
  const name = String(error.data["name"] ?? "")
  const kind = String(error.data["kind"] ?? "")
  const faults = causes.map((cause) => `${textAt(cause, "field")}: ${textAt(cause, "message")}`)
  const title = `The ${kind} "${name}" is invalid: `
  return faults.length === 1 ? title + (faults[0] ?? "") : `${title}\n${faults.map((fault) => `* ${fault}`).join("\n")}`
}
