{% macro get_show_sql(compiled_code, sql_header, limit) -%}
    {#- Refuse `dbt show` unless its log file is off: dbt copies the rows that it shows, in clear, into
        logs/dbt.log. Takes the place of dbt's macro of this name, and calls it where rows may be shown.
        Jinja sees no flag for the log level, only the command line. -#}
    {%- if not modules.re.search('--log-level-file[= ]none', flags.INVOCATION_COMMAND or '') -%}
        {%- do exceptions.raise_compiler_error(
            "dbt show would also write the rows, in clear, into logs/dbt.log; if they may be shown on "
            ~ "this screen, turn that file off: dbt show --log-level-file none ..."
        ) -%}
    {%- endif -%}
    {{ dbt.get_show_sql(compiled_code, sql_header, limit) }}
{%- endmacro %}
