{% test k_anonymous(model, quasi, k, sensitive=none, l=1) %}
    {#- Fails with the size of each cell that is too small, or whose rows agree too much, and no value of it.

        quasi      columns that could single a person out together
        k          least number of rows that agree in all of them
        sensitive  a column of which each cell must hold `l` different values (distinct l-diversity,
                   Machanavajjhala et al., 2007)
    -#}
    select cell_size, n_sensitive, count(*) as n_cells
    from (
        select
            count(*) as cell_size,
            {{ 'count(distinct ' ~ sensitive ~ ')' if sensitive else l }} as n_sensitive
        from {{ model }}
        group by {{ quasi | join(', ') }}
    )
    where cell_size < {{ k }} or n_sensitive < {{ l }}
    group by all
{% endtest %}
