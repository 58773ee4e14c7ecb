#!/bin/sh
# Makes passwords and the files that docker-compose.yml hands to its services:
#     deploy/make_secrets.sh [FOLDER]
# What is there already is left as it is.
set -eu
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
cd "$folder"

password() { # 48 hexadecimal digits: nothing in them needs quoting in a URL
  [ -s "$1" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$1"
}
keep() { [ -s "$1" ] || cat > "$1"; }

password postgres_password
password redis_password
hash=$(printf %s "$(cat redis_password)" | sha256sum | cut -d' ' -f1)

keep database_url <<END
postgresql+psycopg://castline:$(cat postgres_password)@postgres:5432/castline
END
keep broker_url <<END
redis://castline:$(cat redis_password)@redis:6379/0
END
# Castline's user may do with its own keys what Celery does, and nothing to the server. Patterns of
# channels are compared as they stand, so those that Celery subscribes to are named one by one.
keep redis_users <<END
user default off
user castline on #$hash resetkeys ~castline:* resetchannels &castline:* &castline:/0.celery.pidbox &castline:/0.celeryev/* &castline:/0.celeryev/worker.* -@all +@read +@write +@pubsub +@scripting +@transaction +@connection -@dangerous +info +time +client|setinfo
END
# The containers' users must read them; the folder keeps other users of this machine out.
chmod 444 ./*
