"""The SQL database: schema, migrations, the queue of record, queries."""
