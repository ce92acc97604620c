# Runs a command in an image's file system as a container would at its strictest: read-only but for /tmp, no root, no
# capabilities, no way to new privileges. In a mount namespace of its own:
#   unshare --mount sh run-in-image.sh ROOT CONFIGURATION USER FOLDER NAME=VALUE... COMMAND...
# An empty CONFIGURATION is none.
set -eu
root=$1 configuration=$2 user=$3 folder=$4
shift 4
mount --bind "$root" "$root"
if [ -n "$configuration" ]; then
  mount -t tmpfs -o mode=755 tmpfs "$root/etc/logguardian"
  cp "$configuration" "$root/etc/logguardian/logguardian.yaml"
  mount -o remount,ro "$root/etc/logguardian"
fi
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$root/tmp"
# In its place: signals and the exit status are the command's own.
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all env --ignore-environment --chdir="$folder" "$@"
