import { isTree, textAt, treeAt, listAt, type Tree } from "../field.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { accountOf } from "./accounts.ts"
import type { ApiRequest, ApiResponse, ApiUser } from "./api.ts"
import { mayDo, rulesOf, type Access } from "./authorize.ts"
import { badRequest } from "./status.ts"
import type { Tokens } from "./tokens.ts"

/** Requests that are answered and never kept, by path: who am I, may I. Undefined: it is none of them. */
export function review(
  request: ApiRequest,
  { objects, tokens }: { objects: KubeObjects; tokens?: Tokens },
): ApiResponse | undefined {
  const found = /^\/apis\/(authorization|authentication)\.k8s\.io\/v1\/(?:namespaces\/([^/]+)\/)?(\w+reviews)$/.exec(
    request.path,
  )
  if (!found || request.method !== "POST") return undefined
  const [, group = "", namespace, plural = ""] = found
  const body = isTree(request.body) ? request.body : {}
  const status = statusFor(plural, { body, request, objects, tokens, namespace })
  if (status === undefined) return undefined
  const kind = KINDS[plural] ?? ""
  return {
    status: 201,
    body: { ...body, kind, apiVersion: `${group}.k8s.io/v1`, metadata: treeAt(body, "metadata"), status },
  }
}

const KINDS: Readonly<Record<string, string>> = {
  selfsubjectaccessreviews: "SelfSubjectAccessReview",
  subjectaccessreviews: "SubjectAccessReview",
  localsubjectaccessreviews: "LocalSubjectAccessReview",
  selfsubjectrulesreviews: "SelfSubjectRulesReview",
  selfsubjectreviews: "SelfSubjectReview",
  tokenreviews: "TokenReview",
}

interface Asked {
  body: Tree
  request: ApiRequest
  objects: KubeObjects
  tokens: Tokens | undefined
  namespace: string | undefined
}

function statusFor(plural: string, { body, request: { user }, objects, tokens, namespace }: Asked): Tree | undefined {
  const spec = treeAt(body, "spec")
  switch (plural) {
    case "selfsubjectaccessreviews":
      return { allowed: mayDo(objects, user, accessOf(spec)) }
    case "subjectaccessreviews":
    case "localsubjectaccessreviews": {
      const other = { name: textAt(spec, "user"), groups: listAt(spec, "groups").map(String) }
      return { allowed: mayDo(objects, other, { ...accessOf(spec), ...(namespace !== undefined && { namespace }) }) }
    }
    case "selfsubjectrulesreviews": {
      const place = textAt(spec, "namespace")
      if (place === "") throw badRequest("no namespace on request")
      const isMaster = user.groups.includes("system:masters")
      const rules = isMaster
        ? [
            { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
            { verbs: ["*"], nonResourceURLs: ["*"] },
          ]
        : rulesOf(objects, user, place)
      return {
        incomplete: false,
        resourceRules: rules.filter((rule) => listAt(rule, "resources").length > 0),
        nonResourceRules: rules.filter((rule) => listAt(rule, "nonResourceURLs").length > 0),
      }
    }
    case "selfsubjectreviews":
      return { userInfo: userInfo(user) }
    case "tokenreviews": {
      const asked = listAt(spec, "audiences").map(String)
      const known = tokens && accountOf(objects, tokens, textAt(spec, "token"), asked.length > 0 ? asked : undefined)
      if (known === undefined) return { user: {}, error: "the token is not known here, or no longer" }
      return { authenticated: true, user: userInfo(known.user), audiences: known.audiences }
    }
    default:
      return undefined
  }
}

function userInfo({ name, groups, uid, extra }: ApiUser): Tree {
  return { username: name, groups, ...(uid !== undefined && { uid }), ...(extra && { extra }) }
}

function accessOf(spec: Tree): Access {
  const resource = treeAt(spec, "resourceAttributes")
  if (Object.keys(resource).length === 0)
    return {
      verb: textAt(spec, "nonResourceAttributes", "verb"),
      group: "",
      resource: "",
      path: textAt(spec, "nonResourceAttributes", "path"),
    }
  const part = textAt(resource, "subresource")
  const namespace = textAt(resource, "namespace")
  return {
    verb: textAt(resource, "verb"),
    group: textAt(resource, "group"),
    resource: `${textAt(resource, "resource")}${part === "" ? "" : `/${part}`}`,
    ...(namespace !== "" && { namespace }),
    name: textAt(resource, "name"),
  }
}
