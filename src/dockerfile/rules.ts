/** What each rule of `--check` wants: first BuildKit's (docs.docker.com/reference/build-checks), then ours. */
export const RULES = {
  StageNameCasing: "write stage names in lower case",
  FromAsCasing: "write FROM and AS in the same case",
  NoEmptyContinuation: "remove the blank line from the continued instruction",
  ConsistentInstructionCasing: "write all instructions in the same case",
  DuplicateStageName: "give each stage a name of its own",
  ReservedStageName: "choose another name for the stage",
  JSONArgsRecommended: 'write the JSON form, ["program", "argument"], so that the program itself gets the signals',
  MaintainerDeprecated: "write LABEL org.opencontainers.image.authors=… instead",
  UndefinedArgInFrom: "declare it with ARG before the first FROM",
  WorkdirRelativePath: "begin WORKDIR with a slash",
  UndefinedVar: "declare it with ARG or ENV first",
  MultipleInstructionsDisallowed: "keep the last one only",
  LegacyKeyValueFormat: "write NAME=VALUE",
  InvalidBaseImagePlatform: "choose an image of the platform, or name its own: FROM --platform=…",
  RedundantTargetPlatform: "leave FROM --platform out: it is the target's anyway",
  SecretsUsedInArgOrEnv: "use RUN --mount=type=secret: values of ARG and ENV stay in the image",
  SecretInLayer: "use the secret from its mount, or remove in the same RUN what was written from it",
  InvalidDefaultArgInFrom: "give the ARG a default with which the name is valid",
  FromPlatformFlagConstDisallowed: "leave FROM --platform out, or use $BUILDPLATFORM",
  CopyIgnoredFile: "remove the file from the ignore file, or do not copy it",
  InvalidDefinitionDescription: "begin the comment with the name, or leave a blank line below it",
  ExposeProtoCasing: "write the protocol in lower case",
  ExposeInvalidFormat: "name the container's port only: EXPOSE publishes nothing",
  UnusedStage: "remove it, or build it as the target",
  AptListsKept: "end the same RUN with rm -rf /var/lib/apt/lists/*, or mount a cache there",
  RootUser: "end the last stage with USER and the name of an ordinary user",
  UnpinnedBaseImage: "use a version or a digest, so that the base image does not change unnoticed",
} as const

/** BuildKit's name of a rule, or ours. */
export type RuleName = keyof typeof RULES
