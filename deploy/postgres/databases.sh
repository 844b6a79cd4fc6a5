#!/bin/bash
# On the server's first start: a role and a database of its own for each service, and nobody else's to enter.
# Needs <SERVICE>_DATABASE_PASSWORD in the environment for each.
set -eu
for service in identity members activities learning feedback gateway; do
  variable="${service^^}_DATABASE_PASSWORD"
  password="${!variable:?$variable is not set}"
  psql -v ON_ERROR_STOP=1 -v service="$service" -v password="$password" -d postgres <<'SQL'
create role :"service" login password :'password';
create database :"service" owner :"service";
revoke all on database :"service" from public;
SQL
done
