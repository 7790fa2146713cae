import type { spdxDocument } from "./spdx.ts"

type Document = ReturnType<typeof spdxDocument>

/** The same document as lines of tags (spdx-spec v2.3, annex on the tag-value form). */
export function spdxTagValue(document: Document): string {
  const { creationInfo, packages, relationships } = document
  return [
    ...lines([
      ["SPDXVersion", document.spdxVersion],
      ["DataLicense", document.dataLicense],
      ["SPDXID", document.SPDXID],
      ["DocumentName", document.name],
      ["DocumentNamespace", document.documentNamespace],
      ...creationInfo.creators.map(creatorLine),
      ["Created", creationInfo.created],
    ]),
    ...packages.flatMap((each) => ["", `##### Package: ${oneLine(each.name)}`, ""].concat(packageLines(each))),
    "",
    "##### Relationships",
    "",
    ...relationships.map((each) =>
      lines([["Relationship", `${each.spdxElementId} ${each.relationshipType} ${each.relatedSpdxElement}`]]).join("\n"),
    ),
    "",
  ].join("\n")
}

type Line = [tag: string, value: string | undefined]

function creatorLine(creator: string): Line {
  return ["Creator", creator]
}

function packageLines(each: Document["packages"][number]): string[] {
  return lines([
    ["PackageName", each.name],
    ["SPDXID", each.SPDXID],
    ["PackageVersion", each.versionInfo],
    ["PackageSupplier", each.supplier],
    ["PackageDownloadLocation", each.downloadLocation],
    ["PrimaryPackagePurpose", each.primaryPackagePurpose],
    ["FilesAnalyzed", String(each.filesAnalyzed)],
    ["PackageHomePage", each.homepage],
    ["PackageSourceInfo", quoted(each.sourceInfo)],
    ["PackageLicenseConcluded", each.licenseConcluded],
    ["PackageLicenseDeclared", each.licenseDeclared],
    ["PackageCopyrightText", each.copyrightText],
    ["PackageComment", quoted(each.comment)],
    ...(each.externalRefs ?? []).map((one): Line => [
      "ExternalRef",
      `${one.referenceCategory} ${one.referenceType} ${one.referenceLocator}`,
    ]),
  ])
}

function lines(of: readonly Line[]): string[] {
  return of.flatMap(([tag, value]) => (value === undefined ? [] : [`${tag}: ${oneLine(value)}`]))
}

/** A stranger's line end would begin a tag. */
function oneLine(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
}

/** Free text; nothing of it ends it. */
function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `<text>${text.replaceAll(/<\/?text>/gi, "")}</text>`
}
