import { arg } from "../args.ts"
import type { Command } from "../command.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag } from "../flag.ts"
import { createObject, CREATE_FLAGS } from "./create-object.ts"
import { kubeCommand } from "./kube-command.ts"
import { openClient } from "./open-client.ts"
import { BINDING_FLAGS, ROLE_FLAGS, rulesOf, subjectsOf } from "./rbac-flags.ts"

const GROUP = "rbac.authorization.k8s.io"
const API_VERSION = `${GROUP}/v1`

/** `kube create role`, `kube create clusterrole`. */
export function roleCommand(kind: "Role" | "ClusterRole", summary: string): Command {
  return kubeCommand({
    summary,
    args: [arg.one("NAME")],
    flags: { ...CREATE_FLAGS, ...ROLE_FLAGS },
    async run({ args: [name], flags, engine, out }) {
      const client = await openClient(engine, flags)
      const rules = await rulesOf(client, flags)
      await createObject(client, out, { apiVersion: API_VERSION, kind, metadata: { name }, rules }, flags)
    },
  })
}

/** `kube create rolebinding`: to a role of the namespace, or to one of the cluster for this namespace. */
export function roleBindingCommand(): Command {
  return kubeCommand({
    summary: "Create a role binding",
    args: [arg.one("NAME")],
    flags: { ...CREATE_FLAGS, ...BINDING_FLAGS, role: flag.string("Role this binding should reference") },
    async run({ args: [name], flags, engine, out }) {
      if ((flags.role === undefined) === (flags.clusterrole === undefined))
        throw new UsageError("exactly one of clusterrole or role must be specified")
      const kind = flags.role === undefined ? "ClusterRole" : "Role"
      const roleRef = { apiGroup: GROUP, kind, name: flags.role ?? flags.clusterrole }
      const binding = { apiVersion: API_VERSION, kind: "RoleBinding", metadata: { name }, roleRef }
      await createObject(await openClient(engine, flags), out, { ...binding, subjects: subjectsOf(flags) }, flags)
    },
  })
}

/** `kube create clusterrolebinding`: a role of one namespace holds nowhere else, so it is none of these. */
export function clusterRoleBindingCommand(): Command {
  return kubeCommand({
    summary: "Create a cluster role binding",
    args: [arg.one("NAME")],
    flags: { ...CREATE_FLAGS, ...BINDING_FLAGS },
    async run({ args: [name], flags, engine, out }) {
      if (flags.clusterrole === undefined) throw new UsageError("clusterrole must be specified")
      const roleRef = { apiGroup: GROUP, kind: "ClusterRole", name: flags.clusterrole }
      const binding = { apiVersion: API_VERSION, kind: "ClusterRoleBinding", metadata: { name }, roleRef }
      await createObject(await openClient(engine, flags), out, { ...binding, subjects: subjectsOf(flags) }, flags)
    },
  })
}
