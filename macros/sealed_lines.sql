{% macro sealed_lines(examples) -%}
    {#- The exact JSONL lines of a dataset's examples, numbered within their split. -#}
    select
        split,
        row_number() over (partition by split order by example_id) as line_number,
        n_tokens,
        {{ jsonl_line('messages') }} as line
    from {{ examples }}
{%- endmacro %}
