/**
 * Completion scripts. They ask `skiff __complete` for everything, so they never differ from the executable. Its answer: one
 * candidate a line, a description after a tab, `:files` where file names fit too.
 */
export const SCRIPTS = {
  bash: `# bash completion of skiff: source <(skiff completion bash)
_skiff() {
  local line=\${COMP_LINE:0:COMP_POINT} current="" candidate
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS= read -r candidate; do
    if [[ $candidate == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "\${current#*=}")
    else
      COMPREPLY+=("\${candidate%%$'\\t'*}")
    fi
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  # readline takes a colon or an equals sign as the end of a word: only what stands after it is replaced
  local breaks=\${COMP_WORDBREAKS//[^:=]/} prefix=""
  [[ $breaks == *:* && $current == *:* ]] && prefix=\${current%"\${current##*:}"}
  [[ $breaks == *=* && $current == *=* && -z $prefix ]] && prefix=\${current%"\${current##*=}"}
  [[ -n $prefix ]] && COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  return 0
}
complete -F _skiff skiff
`,
  zsh: `#compdef skiff
# zsh completion of skiff: source <(skiff completion zsh), after compinit
_skiff() {
  local -a described
  local candidate files=""
  for candidate in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $candidate == ":files" ]]; then
      files=1
    elif [[ -n $candidate ]]; then
      candidate=\${candidate//:/\\\\:}
      described+=("\${candidate/$'\\t'/:}")
    fi
  done
  (( \${#described} )) && _describe 'skiff' described
  [[ -n $files ]] && _files
}
# from a directory of $fpath the file itself is called for the first completion
if [[ $funcstack[1] == _skiff ]]; then _skiff; else compdef _skiff skiff; fi
`,
  fish: `# fish completion of skiff: skiff completion fish | source
function __skiff_complete
    set -l words (commandline -opc) (commandline -ct)
    for candidate in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
        if test "$candidate" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $candidate
        end
    end
end
complete -c skiff -f -a '(__skiff_complete)'
`,
} as const
