import { refused } from "./foreign-flag.ts"

const NO_SCANNER = "packages are found without a scanner's image"
const ATTESTED =
  "what is found is attested of the image: --sbom, or --sbom=format=cyclonedx; read it with: skiff image attestations"

/** Buildah's way to a list of packages: another image scans, and its list becomes a file of the image or of the host. */
export const SCANNER_FLAGS = {
  sbomImageOutput: refused("no list of packages is added to the image's files", ATTESTED),
  sbomImagePurlOutput: refused("no list of package URLs is added to the image's files", ATTESTED),
  sbomMergeStrategy: refused("there is one list of packages for each image, and nothing to merge", ATTESTED),
  sbomOutput: refused("the list of packages is attested of the image, not written to a file", ATTESTED),
  sbomPurlOutput: refused("package URLs are a part of the list of packages, not a file", ATTESTED),
  sbomScannerCommand: refused(NO_SCANNER, ATTESTED),
  sbomScannerImage: refused(NO_SCANNER, ATTESTED),
}
