/**
 * Completion for bash(1), one file for all commands. Pure.
 *
 * @module
 */
import { type ArgumentKind, CHOICES, type CompletedCommand } from './model.ts'

const FUNCTIONS = `# Words that fit an argument of a kind.
_solipsec_argument() {
  case $1 in
    file) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null ;;
    service) COMPREPLY=($(compgen -W '${CHOICES.service}' -- "$cur")) ;;
    netns) COMPREPLY=($(compgen -W "$(ip netns list 2>/dev/null | cut -d' ' -f1)" -- "$cur")) ;;
    datapath) COMPREPLY=($(compgen -W '${CHOICES.datapath}' -- "$cur")) ;;
    column) COMPREPLY=($(compgen -W '${CHOICES.column}' -- "$cur")) ;;
  esac
}

_solipsec() {
  local cur=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=\${COMP_WORDS[0]##*/} options= taking= words= operand= given= index
  COMPREPLY=()
  # The first word without a dash is the subcommand.
  for ((index = 1; index < COMP_CWORD; index++)); do
    [[ \${COMP_WORDS[index]} == -* ]] && continue
    given=\${COMP_WORDS[index]}
    break
  done
  [[ $command == solipsec && $given ]] && command="solipsec $given"
  case $command in
`

/** @returns the file's text */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).filter((name) => !name.includes(' '))
  return `# Completion of solipsec's commands for bash, made from their manual pages.

${FUNCTIONS}${commands.map(branch).join('')}    *) return ;;
  esac
  # An option that is the last of a cluster (-Fa) may take an argument, too.
  local option=$previous
  [[ $previous == -[!-]?* ]] && option=-\${previous: -1}
  local pair
  for pair in $taking; do
    [[ $previous == -* && $option == "\${pair%%=*}" ]] || continue
    _solipsec_argument "\${pair#*=}"
    return
  done
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ $words && ! $given ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    _solipsec_argument "$operand"
  fi
}

complete -F _solipsec ${names.join(' ')}
`
}

function branch({ name, options, words, operand }: CompletedCommand): string {
  const taking = options.flatMap((option) => (option.argument ? [`${option.name}=${option.argument}`] : []))
  const lines = [
    `options='${unique(options.map((option) => option.name)).join(' ')}'`,
    `taking='${unique(taking).join(' ')}'`,
    `words='${unique(words.map((word) => word.name)).join(' ')}'`,
    `operand=${operand ?? ('other' satisfies ArgumentKind)}`,
  ]
  return `    '${name}')\n${lines.map((line) => `      ${line}\n`).join('')}      ;;\n`
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)]
}
