/** What a pause process is: a shell that makes the namespaces, then flock(1), then a shell that takes them down. */

/** How often a pause process looks again whose namespaces are used by a process that holds no lock: one whose monitor was killed. */
const LOOK_AGAIN_SECONDS = 20

/**
 * Waits for the lock that all hold who need the namespaces, as flock(1), which takes the place of the shell: one process that
 * sleeps in the kernel. `$0` is the run root, `$1` what comes then, `$2` how long nobody must have come.
 */
const WAIT = `exec flock --exclusive --no-fork "$0/namespaces.lock" /bin/sh -c "$1" "$0" "$1" "$2"`

/**
 * Nobody needs the namespaces. Descriptor 3 is flock's: it is closed at once, for whoever comes now. When nobody has come in the
 * idle time, the lock is taken again, and under it the record goes first: a command that has the lock and finds a record
 * has a pause process that stays.
 */
export const WHEN_FREE = `
idle=$2
until
  exec 3>&-
  setpriv --pdeathsig KILL sleep "$idle"
  exec 3>>"$0/namespaces.lock" || exit
  flock --nonblock 3 || { exec 3>&-; ${WAIT}; }
  user=
  for process in /proc/[0-9]*; do
    [ "$process/ns/user" -ef /proc/self/ns/user ] && [ "$process" != /proc/$$ ] || continue
    read -r name <"$process/comm" || continue
    case $name in pasta* | passt*) ;; *) user=$process ;; esac
  done 2>/dev/null
  [ -z "$user" ]
do idle=${LOOK_AGAIN_SECONDS}; done
read -r record <"$0/pause.json"
case $record in '{"pausePid":'$$,*) ;; *) exit ;; esac
rm -f "$0/pause.json"
for file in "$0/network/"*.pid; do
  read -r pid <"$file" || continue
  ! grep -qzxF "$file" "/proc/$pid/cmdline" || kill "$pid"
  rm -f "$file"
done 2>/dev/null
umount --lazy "$0/rootless.netns"
rm -f "$0/rootless.netns"`

/**
 * The pause process goes on only when told to: its standard input ends when we die, and it with it. So a launcher that is killed
 * between any two lines leaves no pause process that nobody knows of.
 */
export const SAME_NAMESPACES = `
echo ready; read -r recorded || exit 1
exec </dev/null >/dev/null 2>&1
${WAIT}`

export const NEW_NAMESPACES = `
echo unshared; read -r mapped || exit 1
: >"$0/rootless.netns" && mount --bind /proc/self/ns/net "$0/rootless.netns" || exit 1
${SAME_NAMESPACES}`
