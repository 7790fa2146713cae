import { InvalidArgument } from "../../base/errors.ts"
import { flag } from "../flag.ts"

/** Which cluster, and where in it. */
export const PLACE_FLAGS = {
  namespace: flag.string("If present, the namespace scope for this CLI request", "string", { short: "n" }),
  context: flag.string("The name of the kubeconfig context to use: another cluster than this machine"),
  kubeconfig: flag.string("Path to the kubeconfig file to use for requests: another cluster than this machine"),
}

/** All namespaces at once. */
export const ALL_NAMESPACES = flag.bool(
  "If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace",
  { short: "A" },
)

/** Which objects of a kind. */
export const SELECT_FLAGS = {
  selector: flag.string("Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'", "string", {
    short: "l",
  }),
  fieldSelector: flag.string("Selector (field query) to filter on, supports '=', '==', and '!='"),
}

/** Where manifests are. */
export const FILE_FLAGS = {
  filename: flag.strings(
    "The files that contain the configurations: files, directories, URLs, or - for standard input",
    "strings",
    {
      short: "f",
    },
  ),
  kustomize: flag.string("Process a kustomization directory", "string", { short: "k" }),
  recursive: flag.bool("Process the directory used in -f, --filename recursively", { short: "R" }),
}

/** Values of `--dry-run`. */
export type DryRun = "none" | "client" | "server"

/** Nothing is kept. Bare: the client's, which kubectl no longer takes and people still write. */
export const DRY_RUN = {
  dryRun: {
    ...flag.choice(["none", "client", "server"], 'Must be "none", "server", or "client"', { initial: "none" }),
    bare: "client",
  },
}

/** What is said behind the word for what was done, by the value of `--dry-run`. */
export function dryRunSuffix(dryRun: DryRun | undefined): string {
  return { none: "", client: " (dry run)", server: " (server dry run)" }[dryRun ?? "none"]
}

/** How fields are checked. */
export const VALIDATE = {
  validate: {
    ...flag.of(
      (text) => {
        const modes: Readonly<Record<string, string>> = {
          true: "Strict",
          strict: "Strict",
          warn: "Warn",
          false: "Ignore",
          ignore: "Ignore",
        }
        const mode = modes[text]
        if (mode === undefined) throw new InvalidArgument("must be one of strict, warn, ignore")
        return mode
      },
      "Must be one of: strict (or true), warn, ignore (or false): what becomes of fields that a kind does not have",
      "string",
    ),
    bare: "strict",
    initial: "Strict",
  },
}

/** How a result is shown. */
export const OUTPUT_FLAGS = {
  output: flag.string(
    "Output format. One of: (json, yaml, kyaml, name, wide, go-template, go-template-file, jsonpath, jsonpath-file, custom-columns, custom-columns-file)",
    "string",
    { short: "o" },
  ),
  template: flag.string("Template string or path to template file to use when -o=go-template, -o=go-template-file"),
  showManagedFields: flag.bool("If true, keep the managedFields when printing objects in JSON or YAML format"),
}

/** Who owns the fields that are written. */
export const FIELD_MANAGER = {
  fieldManager: flag.string("Name of the manager used to track field ownership"),
}

/** Of commands that change objects which words or files name. */
export const CHANGE_FLAGS = { ...PLACE_FLAGS, ...FILE_FLAGS, ...DRY_RUN, ...OUTPUT_FLAGS }

/** All objects of the kinds that are named. */
export const ALL_OF_KINDS = {
  all: flag.bool("Select all resources, in the namespace of the specified resource types"),
}

/** Which containers of pod templates, for `kube set`. */
export const TEMPLATE_CONTAINERS = {
  containers: flag.string("The name of the container in the selected pod templates to change; default all", "string", {
    short: "c",
  }),
}
