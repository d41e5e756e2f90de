with major as (

    {{ major_classes(ref('stg_legal'), 'case_outcome', min_share=var('legal_min_share')) }}

),

drawn as (

    {{ stratified_sample(
        'major',
        stratum='case_outcome',
        key='case_id',
        columns=[
            'case_outcome', 'case_title', 'case_text', 'classes',
        ],
        n_per_stratum=var('sample_per_class'),
        seed=var('sample_seed'),
    ) }}

),

final as (

    {{ with_row_ids(
        'drawn',
        dataset='legal',
        columns=[
            'case_outcome', 'case_title', 'case_text', 'classes',
        ],
        subject=none,
    ) }}

)

select * from final
