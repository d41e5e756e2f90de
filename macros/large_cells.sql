{% macro large_cells(relation, columns, quasi, k, steps=[]) -%}
    {#- The rows of a relation, changed until at least `k` of them agree in every quasi-identifier.

        relation   what to change
        columns    columns of the result, in order
        quasi      those of them that could single a person out together
        k          least number of rows that agree in all of `quasi`; at 1 every row stays as it is
        steps      what to generalise, step by step: a list of {column: SQL expression over the row}

        Each step changes the rows of small cells only, and counts again, so that rows that were told
        apart by one column can meet; what is still in a small cell after the last step is left out.
        k-anonymity as in Sweeney, "k-anonymity: a model for protecting privacy" (2002); local recoding.
    -#}
    {%- if k | int <= 1 %}
    select {{ columns | join(', ') }} from {{ relation }}
    {%- else %}
    {%- set cell = 'count(*) over (partition by ' ~ quasi | join(', ') ~ ') as cell_size' %}
    with counted_0 as (

        select {{ columns | join(', ') }}, {{ cell }} from {{ relation }}

    ),
    {%- for step in steps %}

    changed_{{ loop.index }} as (

        select
        {%- for column in columns %}
            {% if column in step -%}
            case when cell_size < {{ k }} then {{ step[column] }} else {{ column }} end as {{ column }}
            {%- else -%}
            {{ column }}
            {%- endif -%}
            {{ ',' if not loop.last }}
        {%- endfor %}
        from counted_{{ loop.index0 }}

    ),

    counted_{{ loop.index }} as (

        select {{ columns | join(', ') }}, {{ cell }} from changed_{{ loop.index }}

    ),
    {%- endfor %}

    final as (

        select {{ columns | join(', ') }} from counted_{{ steps | length }} where cell_size >= {{ k }}

    )

    select * from final
    {%- endif %}
{%- endmacro %}
