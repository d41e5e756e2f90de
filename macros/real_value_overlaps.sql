{% macro real_value_overlaps(examples, dataset) -%}
    {#- How many values of the direct identifiers of every real source stand in examples that are to be
        made up: columns dataset, column_name, n_values, n_too_short, n_found.

        A value and a text are compared by their letters and digits alone: the words of a text are put
        together, one to eight in a row, and looked for among the values. The sources are read as they
        lie, whether their datasets were built or not; nothing here depends on them, so that a broken
        one stops no other dataset. -#}
    {%- set columns = [] -%}
    {%- if execute and not flags.EMPTY -%}
        {%- for source in graph.sources.values() if not source.config.meta.get('synthetic') -%}
            {%- set ingested = graph.nodes.get('model.' ~ project_name ~ '.' ~ source.name ~ '_ingested') -%}
            {%- if ingested and source.name != dataset -%}
                {%- for column in source.columns.values()
                    if (column.get('config', {}).get('meta') or column.meta).get('privacy') == 'direct' -%}
                    {%- do columns.append((source.name, column.name, ingested.config.meta.ingest.location)) -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    with texts as (

        select unnest(json_extract_string(messages, '$[*].content')) as text from {{ examples }}

    ),

    worded as (

        select distinct regexp_extract_all(lower(text), '[\p{L}\p{N}]+') as words from texts

    ),

    runs as (

        select distinct array_to_string(worded.words[starts.place:starts.place + sizes.n - 1], '') as run
        from worded,
            unnest(generate_series(1, len(worded.words))) as starts (place),
            unnest(generate_series(1, 8)) as sizes (n)
        where starts.place + sizes.n - 1 <= len(worded.words)

    ),

    real as (

        select null::varchar as dataset, null::varchar as column_name, null::varchar as value
        where false
        {%- for name, column, location in columns %}
        union all
        select '{{ name }}', '{{ column }}', value::varchar
        from query(lenient_sql('{{ location | replace("'", "''") }}', '{{ column | replace("'", "''") }}'))
        {%- endfor %}

    ),

    formed as (

        select dataset, column_name, regexp_replace(lower(value), '[^\p{L}\p{N}]', '', 'g') as form
        from real
        where value <> ''

    )

    select
        dataset,
        column_name,
        count(*) as n_values,
        count(*) filter (length(form) < 6) as n_too_short,
        count(*) filter (length(form) >= 6 and form in (select runs.run from runs)) as n_found
    from formed
    group by dataset, column_name
{%- endmacro %}
