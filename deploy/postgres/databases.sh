#!/bin/bash
# On the server's first start: a role and a database of its own for each service, nobody else's to enter, with an audit
# in it that the service can add to and not change. Needs <SERVICE>_DATABASE_PASSWORD in the environment for each. It may
# be run or sourced; a database of an earlier release gets its audit by the last of the two commands alone.
(
  set -euo pipefail
  here=$(dirname "${BASH_SOURCE[0]}")
  for service in identity members activities learning feedback gateway; do
    variable="${service^^}_DATABASE_PASSWORD"
    : "${!variable:?$variable is not set}"
    # psql reads the password from the environment: an argument would stand in the list of processes.
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
      --set service="$service" --set variable="$variable" <<'SQL'
\getenv password :variable
revoke all on database postgres, template1 from public;
create role :"service" login password :'password';
create database :"service" owner :"service" template template0 encoding 'UTF8'
  locale_provider builtin builtin_locale 'C.UTF-8' locale 'C';
revoke all on database :"service" from public;
SQL
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$service" \
      --file "${AUDIT_SQL:-$here/audit/provisioning.sql}"
  done
)
