#!/bin/sh
# Makes the unprivileged user of the tests, with subordinate ids and a runtime directory as a login session gives them.
set -eu
user=skiff-test
id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
# a useradd of an old login.defs gives no subordinate ids
for file in /etc/subuid /etc/subgid; do
  grep -q "^$user:" "$file" 2>/dev/null || {
    next=$(awk -F: 'BEGIN { n = 100000 } $2 + $3 > n { n = $2 + $3 } END { print n }' "$file" 2>/dev/null || echo 100000)
    echo "$user:$next:65536" >>"$file"
  }
done
install -d -m 0755 /run/user
install -d -m 0700 -o "$user" -g "$user" "/run/user/$(id -u "$user")"
# udev makes it 0666; where nobody runs udev it is root's alone
[ ! -c /dev/net/tun ] || chmod 0666 /dev/net/tun
