import { InvalidArgument } from "../../base/errors.ts"
import { decoded, type IgnoreRule } from "./rules.ts"

type Json = Record<string, unknown>

/** What a VEX document says is no risk: OpenVEX, CSAF (profile VEX) or CycloneDX, by what is in it. Throws InvalidArgument. */
export function parseVex(text: string, path: string): IgnoreRule[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw new InvalidArgument(`"${path}" is no JSON`, { field: "vex", cause })
  }
  if (isObject(document)) {
    if (Array.isArray(document["statements"])) return openVex(document, path)
    if (isObject(document["document"]) && "product_tree" in document) return csaf(document, path)
    if (document["bomFormat"] === "CycloneDX") return cycloneDx(document, path)
  }
  throw new InvalidArgument(`"${path}" is neither OpenVEX, CSAF nor CycloneDX`, { field: "vex" })
}

const HARMLESS = new Set(["not_affected", "fixed"])

/** openvex.dev: later statements on the same go before. */
function openVex({ statements }: Json, path: string): IgnoreRule[] {
  const latest = new Map<string, { status: string; rule: IgnoreRule }>()
  for (const statement of objectsOf(statements)) {
    const status = textOf(statement["status"]) ?? ""
    const { vulnerability } = statement
    const ids = isObject(vulnerability)
      ? [
          textOf(vulnerability["name"]),
          textOf(vulnerability["@id"])?.split("/").at(-1),
          ...textsOf(vulnerability["aliases"]),
        ]
      : [textOf(vulnerability)]
    const told = textOf(statement["impact_statement"]) ?? textOf(statement["justification"])
    for (const id of new Set(ids.filter((each) => each !== undefined)))
      for (const purls of productsOf(statement["products"]))
        latest.set(`${id} ${purls.join(" ")}`, { status, rule: rule(id, purls, path, status, told) })
  }
  return [...latest.values()].filter(({ status }) => HARMLESS.has(status)).map((each) => each.rule)
}

/** Of each product its parts, where it names some; a product that is no package (the image) is every package. */
function productsOf(products: unknown): string[][] {
  const list = Array.isArray(products) ? products : []
  if (list.length === 0) return [[]]
  return list.flatMap((product: unknown): string[][] => {
    if (typeof product === "string") return [isPackage(product) ? [product] : []]
    if (!isObject(product)) return []
    const parts = objectsOf(product["subcomponents"]).flatMap((part) => purlsOf(part))
    if (parts.length > 0) return parts.map((part) => [part])
    const own = purlsOf(product).filter(isPackage)
    return own.length > 0 ? own.map((each) => [each]) : [[]]
  })
}

function purlsOf(component: Json): string[] {
  const identifiers = isObject(component["identifiers"]) ? component["identifiers"] : {}
  return [textOf(component["@id"]), textOf(identifiers["purl"])].filter(
    (each) => each?.startsWith("pkg:") ?? false,
  ) as string[]
}

function isPackage(purl: string): boolean {
  return purl.startsWith("pkg:") && !/^pkg:(?:oci|docker)\//.test(purl)
}

/** docs.oasis-open.org/csaf/csaf/v2.0: product ids, whose package URLs the tree tells. */
function csaf({ product_tree: tree, vulnerabilities }: Json, path: string): IgnoreRule[] {
  const purls = new Map<string, string>()
  const collect = (node: unknown, depth: number): void => {
    if (!isObject(node) || depth > 64) return
    const product = isObject(node["product"]) ? node["product"] : node
    const [id, helper] = [textOf(product["product_id"]), product["product_identification_helper"]]
    const purl = isObject(helper) ? textOf(helper["purl"]) : undefined
    if (id !== undefined && purl !== undefined) purls.set(id, purl)
    for (const key of ["branches", "full_product_names", "relationships"])
      for (const child of objectsOf(node[key])) collect(child, depth + 1)
    // `A as a component of B` is A in B
    const [whole, part] = [node["full_product_name"], textOf(node["product_reference"])]
    const wholeId = isObject(whole) ? textOf(whole["product_id"]) : undefined
    const known = part === undefined ? undefined : purls.get(part)
    if (wholeId !== undefined && known !== undefined) purls.set(wholeId, known)
  }
  collect(tree, 0)
  return objectsOf(vulnerabilities).flatMap((each) => {
    const id = textOf(each["cve"]) ?? objectsOf(each["ids"]).map((one) => textOf(one["text"]))[0]
    const status = isObject(each["product_status"]) ? each["product_status"] : {}
    if (id === undefined) return []
    const words: readonly [string, string][] = [
      ["known_not_affected", "not_affected"],
      ["fixed", "fixed"],
    ]
    const flags = byProduct(objectsOf(each["flags"]))
    const impacts = byProduct(objectsOf(each["threats"]).filter((one) => one["category"] === "impact"))
    return words.flatMap(([key, word]) =>
      textsOf(status[key]).flatMap((product) => {
        const purl = purls.get(product)
        const [flag, impact] = [flags.get(product), impacts.get(product)]
        return purl === undefined
          ? []
          : [rule(id, [purl], path, word, textOf(impact?.["details"]) ?? textOf(flag?.["label"]))]
      }),
    )
  })
}

/** Of each product the first that names it: both may be many. */
function byProduct(told: readonly Json[]): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>()
  for (const one of told)
    for (const product of textsOf(one["product_ids"])) if (!found.has(product)) found.set(product, one)
  return found
}

/** cyclonedx.org: `analysis.state` of what `affects` names, by reference or package URL. */
function cycloneDx({ vulnerabilities, components }: Json, path: string): IgnoreRule[] {
  const purls = new Map(
    objectsOf(components).map((each) => [textOf(each["bom-ref"]) ?? "", textOf(each["purl"])] as const),
  )
  return objectsOf(vulnerabilities).flatMap((each) => {
    const [id, analysis] = [textOf(each["id"]), each["analysis"]]
    const state = isObject(analysis) ? (textOf(analysis["state"]) ?? "") : ""
    const word = Object.hasOwn(STATES, state) ? STATES[state] : undefined
    if (id === undefined || word === undefined || !isObject(analysis)) return []
    const told = textOf(analysis["detail"]) ?? textOf(analysis["justification"])
    const affects = objectsOf(each["affects"]).map((one) => textOf(one["ref"]) ?? "")
    return affects.map((ref) => {
      const inner = ref.startsWith("urn:cdx:") ? decoded(ref.split("#")[1] ?? "") : ref
      const purl = purls.get(inner) ?? (inner.startsWith("pkg:") ? inner : undefined)
      return rule(id, purl === undefined ? ["pkg:unknown/unknown"] : [purl], path, word, told)
    })
  })
}

const STATES: Readonly<Record<string, string>> = {
  not_affected: "not_affected",
  false_positive: "not_affected",
  resolved: "fixed",
  resolved_with_pedigree: "fixed",
}

function rule(
  id: string,
  purls: readonly string[],
  source: string,
  status: string,
  statement: string | undefined,
): IgnoreRule {
  return {
    id,
    ...(purls.length === 0 ? {} : { purls }),
    by: { kind: "vex", source, status, ...(statement === undefined ? {} : { statement }) },
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : []
}
