import { arg } from "../../../args.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { pairs } from "../../../kube/key-values.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Create an ingress with the specified name",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    class: flag.string("Ingress class to be used"),
    rule: flag.strings(
      "Rule in format host/path=service:port[,tls[=secretName]]. Paths containing the leading character '*' are considered pathType=Prefix",
      "strings",
    ),
    defaultBackend: flag.string("Default service for backend, in format of svcname:port"),
    annotation: flag.strings("Annotation to insert in the ingress object, in the format annotation=value", "strings"),
  },
  async run({ args: [name], flags, engine, out }) {
    if (flags.rule.length === 0 && flags.defaultBackend === undefined)
      throw new UsageError(
        "not enough information provided: every ingress has to either specify a default-backend or a rule",
      )
    const rules = flags.rule.map(readRule)
    const hosts = [...new Set(rules.map(({ host }) => host))]
    const secured = rules.filter(({ secret }) => secret !== undefined)
    const secrets = [...new Set(secured.map(({ secret = "" }) => secret))]
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, ...(flags.annotation.length > 0 && { annotations: pairs(flags.annotation.join(",")) }) },
      spec: {
        ...(flags.class !== undefined && { ingressClassName: flags.class }),
        ...(flags.defaultBackend !== undefined && { defaultBackend: readBackend(flags.defaultBackend) }),
        ...(rules.length > 0 && {
          rules: hosts.map((host) => ruleOf(host, rules)),
        }),
        ...(secrets.length > 0 && {
          tls: secrets.map((secret) => certificateOf(secret, secured)),
        }),
      },
    }
    await createObject(await openClient(engine, flags), out, ingress, flags)
  },
})

interface Rule {
  host: string
  path: object
  /** Of its certificate; empty: the usual one. */
  secret?: string
}

function ruleOf(host: string, rules: readonly Rule[]): object {
  const http = { paths: rules.filter((rule) => rule.host === host).map(({ path }) => path) }
  return host === "" ? { http } : { host, http }
}

function certificateOf(secretName: string, rules: readonly Rule[]): object {
  const hosts = [...new Set(rules.filter(({ secret }) => secret === secretName).map(({ host }) => host))]
  return secretName === "" ? { hosts } : { hosts, secretName }
}

/** `foo.test/path*=web:80,tls=secret`. */
function readRule(text: string): Rule {
  const [, address, backend, isSecured, secret] = /^([^=]*)=([^,]*)(,tls(?:=([^,]*))?)?$/.exec(text) ?? []
  const slash = address?.indexOf("/") ?? -1
  if (address === undefined || backend === undefined || slash < 0)
    throw new UsageError(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`)
  const path = address.slice(slash)
  return {
    host: address.slice(0, slash),
    path: {
      path: path.endsWith("*") ? path.slice(0, -1) : path,
      pathType: path.endsWith("*") ? "Prefix" : "Exact",
      backend: readBackend(backend),
    },
    ...(isSecured !== undefined && { secret: secret ?? "" }),
  }
}

function readBackend(text: string): object {
  const [, name, port] = /^([^:]+):([^:]+)$/.exec(text) ?? []
  if (name === undefined || port === undefined) throw new UsageError(`backend ${text} is not of the form svcname:port`)
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } }
}
