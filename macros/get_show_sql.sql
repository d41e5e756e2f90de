{% macro get_show_sql(compiled_code, sql_header, limit) -%}
    {#- Refuse `dbt show` while dbt's log file is on: dbt would copy the rows that it shows, in clear,
        into logs/dbt.log. It is off by default (flags in dbt_project.yml). Takes the place of dbt's
        macro of this name, and calls it. Jinja sees no flag for the log level, only how dbt was
        called. A Python model, whose code is no SQL, is shown as it was last built. -#}
    {%- set command = flags.INVOCATION_COMMAND or '' -%}
    {%- if modules.re.search('--log-level-file[= ](?!none)', command)
        or env_var('DBT_LOG_LEVEL_FILE', 'none') != 'none' -%}
        {%- do exceptions.raise_compiler_error(
            "dbt show would also write the rows, in clear, into logs/dbt.log; leave that file off "
            ~ "(--log-level-file none, the default of this project)"
        ) -%}
    {%- endif -%}
    {%- if model.language == 'python' -%}
        {%- set compiled_code = 'select * from ' ~ this -%}
    {%- endif -%}
    {{ dbt.get_show_sql(compiled_code, sql_header, limit) }}
{%- endmacro %}
