#!/bin/sh
# Start PostgreSQL, and make its databases where there are none yet: what the official image would do with the same
# environment and the same /docker-entrypoint-initdb.d, and no more.
set -e
bin=$(echo /usr/lib/postgresql/*/bin)
if [ ! -d "$PGDATA/made" ]; then
  rm -rf "$PGDATA/part" # of one that was killed
  "$bin/initdb" --pgdata "$PGDATA/part" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8
  echo "host all all all scram-sha-256" >> "$PGDATA/part/pg_hba.conf"
  cat /docker-entrypoint-initdb.d/*.sql | "$bin/postgres" --single -D "$PGDATA/part" postgres
  mv "$PGDATA/part" "$PGDATA/made"
fi
exec "$bin/postgres" -D "$PGDATA/made" -c listen_addresses='*' -c unix_socket_directories=/tmp
